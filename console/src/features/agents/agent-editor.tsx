import { ApiOutlined, DeleteOutlined, EllipsisOutlined, HistoryOutlined, SendOutlined } from '@ant-design/icons'
import { Alert, App, Button, Dropdown, Segmented, Tag } from 'antd'
import { useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import type { Agent } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { agentEditorTexts } from './agent-editor-texts.ts'
import styles from './agent-editor.module.css'
import { AgentForm } from './agent-form.tsx'
import { agentsTexts } from './agents-texts.ts'
import { DeleteAgentDialog } from './delete-agent-dialog.tsx'
import { DraftConflict } from './draft-conflict.tsx'
import { LeaveGuard } from './leave-guard.tsx'
import { PreviewChat } from './preview-chat.tsx'
import { PublishDialog } from './publish-dialog.tsx'
import { SaveBadge } from './save-badge.tsx'
import { useAgentDraft } from './use-agent-draft.ts'

const VIEWS = ['build', 'try'] as const
/** Long enough to read it and to go on from there. */
const PUBLISHED_SECONDS = 12

/** The draft of an agent, and a chat with it. Begins with `agent` as the server has just given it. */
export function AgentEditor({ agent: loaded }: { agent: Agent }) {
  const t = useTexts(agentEditorTexts)
  const tAgents = useTexts(agentsTexts)
  const { agent, draft, state, error, isRecovered, saver } = useAgentDraft(loaded)
  const [view, setView] = useState<(typeof VIEWS)[number]>('build')
  const [isPublishing, setPublishing] = useState(false)
  const isDeleted = useRef(false)
  const announce = useAnnouncePublished()
  const name = draft.name.trim() || t('untitled')

  const openPublish = async () => {
    if (await saver.flush()) setPublishing(true)
  }
  const finishPublishing = (published: Agent) => {
    saver.noteAgent(published)
    setPublishing(false)
    announce(published)
  }

  return (
    <>
      <PageHeader
        title={name}
        backTo="/agents"
        badge={<StateBadges agent={agent} />}
        actions={
          <>
            <SaveBadge state={state} onRetry={() => void saver.flush()} />
            <EditorLinks agent={agent} onDeleted={() => (isDeleted.current = true)} />
            <Button type="primary" icon={<SendOutlined aria-hidden />} onClick={() => void openPublish()}>
              {tAgents('publish.action')}
            </Button>
          </>
        }
      />
      <div className="stack">
        {state === 'conflict' && <DraftConflict agentId={agent.id} draft={draft} saver={saver} />}
        {state === 'failed' && <ErrorNotice error={error} onRetry={() => void saver.flush()} />}
        {isRecovered && <Alert role="status" type="info" showIcon closable title={t('save.recovered')} />}
        <div className={styles.switch}>
          <Segmented
            aria-label={t('show.label')}
            block
            value={view}
            options={VIEWS.map((value) => ({ value, label: t(`show.${value}`) }))}
            onChange={setView}
          />
        </div>
        <div className={styles.columns} data-shown={view}>
          <div className={styles.build}>
            <AgentForm agentId={agent.id} draft={draft} edit={saver.edit} flush={saver.flush} />
          </div>
          <div className={styles.preview}>
            <PreviewChat agentId={agent.id} draft={draft} flush={saver.flush} />
          </div>
        </div>
      </div>
      <LeaveGuard isSaved={state === 'saved'} isDeleted={() => isDeleted.current} flush={saver.flush} />
      {isPublishing && <PublishDialog agent={agent} onClose={() => setPublishing(false)} onPublished={finishPublishing} />}
    </>
  )
}

function StateBadges({ agent }: { agent: Agent }) {
  const t = useTexts(agentEditorTexts)
  const tAgents = useTexts(agentsTexts)
  if (!agent.live) return <Tag variant="filled">{t('not_live')}</Tag>
  return (
    <span className={styles.badges}>
      <Tag color="green" variant="filled">
        {tAgents('live', { version: agent.live.version })}
      </Tag>
      {agent.has_unpublished_changes && (
        <Tag color="gold" variant="filled">
          {t('changes')}
        </Tag>
      )}
    </span>
  )
}

function EditorLinks({ agent, onDeleted }: { agent: Agent; onDeleted: () => void }) {
  const t = useTexts(agentEditorTexts)
  const tAgents = useTexts(agentsTexts)
  const navigate = useNavigate()
  const [isDeleting, setDeleting] = useState(false)
  const leave = () => {
    onDeleted()
    void navigate('/agents')
  }
  const items = [
    { key: 'delete', icon: <DeleteOutlined />, danger: true, label: tAgents('remove.action'), onClick: () => setDeleting(true) },
  ]
  return (
    <>
      <Button icon={<HistoryOutlined aria-hidden />} onClick={() => void navigate(`/agents/${agent.id}/versions`)}>
        {t('versions')}
      </Button>
      <Button icon={<ApiOutlined aria-hidden />} onClick={() => void navigate(`/agents/${agent.id}/api`)}>
        {t('api')}
      </Button>
      <Dropdown menu={{ items }} trigger={['click']} placement="bottomRight">
        <Button icon={<EllipsisOutlined aria-hidden />} aria-label={t('more')} />
      </Dropdown>
      <DeleteAgentDialog
        agent={{ id: agent.id, name: agent.draft.name }}
        open={isDeleting}
        onClose={() => setDeleting(false)}
        onDeleted={leave}
      />
    </>
  )
}

/** Says that it is live, and where to go on. */
function useAnnouncePublished() {
  const t = useTexts(agentsTexts)
  const { notification } = App.useApp()
  const navigate = useNavigate()
  return ({ id, live }: Agent) => {
    const key = `published-${id}`
    const goOn = () => {
      notification.destroy(key)
      void navigate(`/agents/${id}/api`)
    }
    notification.success({
      key,
      role: 'status',
      duration: PUBLISHED_SECONDS,
      // where it covers no button
      placement: 'bottomLeft',
      title: t('publish.done', { version: live?.version ?? '' }),
      actions: (
        <Button type="primary" size="small" onClick={goOn}>
          {t('publish.call_it')}
        </Button>
      ),
    })
  }
}
