import { Alert, App, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import type { IssueGroup } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { ApiError } from '../../lib/api-error.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import { usePublishWorkflow } from './workflow-editor-queries.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'
import { workflowReleaseTexts } from './workflow-release-texts.ts'

export type PublishWorkflowDialogProps = { open: boolean; groups: IssueGroup[] | undefined; onClose: () => void; onShowIssues: () => void }

type Fields = { version?: string; note?: string }

/** Makes the draft the version that API calls run. */
export function PublishWorkflowDialog({ open, groups, onClose, onShowIssues }: PublishWorkflowDialogProps) {
  const t = useTexts(workflowReleaseTexts)
  const tEditor = useTexts(workflowEditorTexts)
  const { message } = App.useApp()
  const { workflowId, store } = useEditorRoom()
  const name = useEditorState(({ info }) => info.name)
  const publish = usePublishWorkflow(workflowId)
  const [form] = Form.useForm<Fields>()
  const [isUnsaved, setUnsaved] = useState(false)
  const hasIssues = groups !== undefined && groups.length > 0

  const close = () => {
    publish.reset()
    setUnsaved(false)
    onClose()
  }
  const submit = async ({ version, note }: Fields) => {
    const isSaved = await store.saveNow()
    setUnsaved(!isSaved)
    if (!isSaved) return
    const { revision } = store.getState().stored
    const request = { version: version?.trim() || undefined, note: note ?? '', revision }
    publish.mutate(request, {
      onSuccess: ({ draft, ...stored }) => {
        store.noteStored(stored)
        void message.success(t('publish.done', { version: stored.live?.version ?? '' }))
        form.resetFields()
        close()
      },
    })
  }
  const isTaken = publish.error instanceof ApiError && publish.error.failure === 'conflict' && publish.error.message.includes('version')
  return (
    <Modal
      open={open}
      title={t('publish.title', { name })}
      okText={t('publish.action')}
      onOk={() => form.submit()}
      onCancel={close}
      okButtonProps={{ disabled: hasIssues }}
      confirmLoading={publish.isPending}
      destroyOnHidden
    >
      <div className="stack">
        <p className="quiet" style={{ margin: 0 }}>
          {t('publish.hint')}
        </p>
        {hasIssues && (
          <Alert
            type="error"
            showIcon
            title={t('publish.has_issues')}
            action={
              <a
                href="#issues"
                onClick={(event) => {
                  event.preventDefault()
                  close()
                  onShowIssues()
                }}
              >
                {tEditor('issues.count', { count: groups.reduce((sum, { issues }) => sum + issues.length, 0) })}
              </a>
            }
          />
        )}
        <Form<Fields> form={form} layout="vertical" onFinish={(fields) => void submit(fields)}>
          <Form.Item
            name="version"
            label={t('publish.version')}
            extra={t('publish.version_hint')}
            validateStatus={isTaken ? 'error' : undefined}
            help={isTaken ? t('publish.version_taken') : undefined}
          >
            <Input maxLength={50} autoComplete="off" />
          </Form.Item>
          <Form.Item name="note" label={t('publish.note')} extra={t('publish.note_hint')}>
            <GrowingTextArea maxLength={2_000} minRows={2} maxRows={8} dir="auto" />
          </Form.Item>
        </Form>
        {isUnsaved && <Alert type="error" showIcon role="alert" title={t('publish.not_saved')} />}
        <ErrorNotice error={isTaken ? undefined : publish.error} />
      </div>
    </Modal>
  )
}
