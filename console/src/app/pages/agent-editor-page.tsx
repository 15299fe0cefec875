import { useParams } from 'react-router'
import { AgentEditor } from '../../features/agents/agent-editor.tsx'
import { useAgentToEdit } from '../../features/agents/agents-queries.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'

export function AgentEditorPage() {
  const { botId = '' } = useParams()
  const { data, error, refetch } = useAgentToEdit(botId)
  if (error) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  return data ? <AgentEditor key={botId} agent={data} /> : <PageLoading />
}
