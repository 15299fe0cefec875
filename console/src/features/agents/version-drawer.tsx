import { App, Button, Drawer } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import type { Agent, AgentDraft, DraftChange } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { putDraft, useRememberAgent, useVersion } from './agents-queries.ts'
import { agentsTexts } from './agents-texts.ts'
import { DraftDiff } from './draft-diff.tsx'

export type VersionDrawerProps = { agent: Agent; version: string; onClose: () => void }

/** What a version was made of, with the way to take it into the draft. */
export function VersionDrawer({ agent, version, onClose }: VersionDrawerProps) {
  const t = useTexts(agentsTexts)
  const navigate = useNavigate()
  const { message } = App.useApp()
  const { data, error, refetch } = useVersion(agent.id, version)
  const remember = useRememberAgent()
  const [isAsking, setAsking] = useState(false)

  const restore = async () => {
    if (!data) return
    remember(await putDraft(agent.id, { draft: data.draft, revision: agent.revision }))
    void message.success(t('history.restored', { version }))
    void navigate(`/agents/${agent.id}`)
  }
  return (
    <Drawer
      open
      onClose={onClose}
      size={640}
      title={`${data?.name ?? agent.draft.name} · ${version}`}
      extra={
        <Button disabled={!data} onClick={() => setAsking(true)}>
          {t('history.restore')}
        </Button>
      }
    >
      <div className="stack">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
        {!data && !error && <PageLoading />}
        {data && data.note !== '' && <p dir="auto">{data.note}</p>}
        {data && <DraftDiff changes={toChanges(data.draft)} />}
      </div>
      <ConfirmDanger
        open={isAsking}
        title={t('history.restore_title', { version })}
        consequence={t('history.restore_hint')}
        action={t('history.restore')}
        onConfirm={restore}
        onClose={() => setAsking(false)}
      />
    </Drawer>
  )
}

/** Every field that says something, as it would be shown where nothing was before. */
function toChanges({ parameters, onboarding, ...rest }: AgentDraft): DraftChange[] {
  return Object.entries({ ...rest, ...parameters, ...onboarding })
    .filter(([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0))
    .map(([path, after]) => ({ path, before: null, after }))
}
