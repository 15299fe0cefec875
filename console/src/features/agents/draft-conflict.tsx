import { Alert, Button } from 'antd'
import { useState } from 'react'
import type { AgentDraft } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { agentEditorTexts } from './agent-editor-texts.ts'
import { useStoredAgent } from './agents-queries.ts'
import { agentsTexts } from './agents-texts.ts'
import type { DraftSaver } from './draft-saver.ts'
import { fieldOf } from './draft-diff.tsx'

/** Somebody else has changed the agent: the person decides what stays. */
export function DraftConflict({ agentId, draft, saver }: { agentId: string; draft: AgentDraft; saver: DraftSaver }) {
  const t = useTexts(agentEditorTexts)
  const tAgents = useTexts(agentsTexts)
  const [isAsking, setAsking] = useState(false)
  const { data: theirs, error, refetch } = useStoredAgent(agentId)
  if (error) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!theirs) return null

  const different = Object.entries(theirs.draft).flatMap(([name, value]) =>
    JSON.stringify(value) === JSON.stringify(new Map(Object.entries(draft)).get(name)) ? [] : [fieldOf(name)],
  )
  const fields = different.map((field) => (field ? tAgents(`diff.field.${field}`) : '')).join(', ')
  return (
    <>
      <Alert
        role="alert"
        type="warning"
        showIcon
        title={t('conflict.title')}
        description={t('conflict.hint', { fields: fields || tAgents('diff.nothing') })}
        action={
          <div className="stack" style={{ gap: 8 }}>
            <Button size="small" onClick={() => setAsking(true)}>
              {t('conflict.theirs')}
            </Button>
            <Button size="small" danger onClick={() => void saver.keepMine(theirs)}>
              {t('conflict.mine')}
            </Button>
          </div>
        }
      />
      <ConfirmDanger
        open={isAsking}
        title={t('conflict.theirs_title')}
        consequence={t('conflict.theirs_hint')}
        action={t('conflict.theirs')}
        onConfirm={async () => saver.takeTheirs(theirs)}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
