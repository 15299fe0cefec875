import { Alert, Form, Input, Modal, Skeleton } from 'antd'
import type { Agent, AgentDiff } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { useAgentDiff, usePublishAgent } from './agents-queries.ts'
import { agentsTexts } from './agents-texts.ts'
import { DraftDiff } from './draft-diff.tsx'

export type PublishDialogProps = {
  /** As it is saved: exactly that is published, or nothing. */
  agent: Agent
  onClose: () => void
  onPublished: (agent: Agent) => void
}

type Fields = { version?: string; note?: string }

export function PublishDialog({ agent, onClose, onPublished }: PublishDialogProps) {
  const t = useTexts(agentsTexts)
  const [form] = Form.useForm<Fields>()
  const diff = useAgentDiff(agent.id)
  const publish = usePublishAgent(agent.id)
  const isSame = diff.data !== undefined && isNothing(diff.data)

  const submit = ({ version = '', note = '' }: Fields) =>
    publish.mutate({ version: version.trim() || undefined, note: note.trim(), revision: agent.revision }, { onSuccess: onPublished })

  return (
    <Modal
      open
      title={t('publish.title', { name: agent.draft.name })}
      width={640}
      onCancel={onClose}
      onOk={() => form.submit()}
      okText={t('publish.action')}
      okButtonProps={{ disabled: !diff.data || isSame }}
      confirmLoading={publish.isPending}
    >
      <div className="stack">
        {diff.isPending && <Skeleton active />}
        <ErrorNotice error={diff.error} onRetry={() => void diff.refetch()} />
        {diff.data && <WhatChanges diff={diff.data} />}
        {!isSame && (
          <Form<Fields> form={form} layout="vertical" onFinish={submit}>
            <Form.Item name="version" label={t('publish.version')} extra={t('publish.version_hint')}>
              <Input maxLength={50} autoComplete="off" style={{ maxWidth: 240 }} />
            </Form.Item>
            <Form.Item name="note" label={t('publish.note')} extra={t('publish.note_hint')} style={{ marginBottom: 0 }}>
              <GrowingTextArea maxLength={2_000} minRows={2} maxRows={6} />
            </Form.Item>
          </Form>
        )}
        <ErrorNotice error={publish.error} />
      </div>
    </Modal>
  )
}

const isNothing = ({ version, changes }: AgentDiff) => version !== null && changes.length === 0

function WhatChanges({ diff }: { diff: AgentDiff }) {
  const t = useTexts(agentsTexts)
  const { version, changes } = diff
  if (version === null) return <Alert type="info" showIcon title={t('publish.first')} />
  if (isNothing(diff)) return <Alert type="info" showIcon title={t('publish.same', { version })} />
  return (
    <section>
      <h3 style={{ fontSize: 14, margin: '0 0 8px' }}>{t('publish.changes', { version })}</h3>
      <DraftDiff changes={changes} />
    </section>
  )
}
