import { useParams } from 'react-router'
import { AgentApi } from '../../features/agent-api/agent-api.tsx'
import { useAgent } from '../../features/agents/agents-queries.ts'
import { NewKeyDialog } from '../../features/api-keys/new-key-dialog.tsx'
import { useConsoleState } from '../../features/session/session-queries.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'

export function AgentApiPage() {
  const { botId = '' } = useParams()
  const { data: agent, error, refetch } = useAgent(botId)
  const { data: state } = useConsoleState()
  if (error && !agent) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!agent || !state) return <PageLoading />

  const { id, draft, live, has_unpublished_changes } = agent
  return (
    <AgentApi
      key={botId}
      agent={{ id, name: draft.name, liveVersion: live?.version, hasNewerDraft: has_unpublished_changes }}
      baseUrl={state.base_url}
      renderNewKey={(dialog) => <NewKeyDialog {...dialog} />}
    />
  )
}
