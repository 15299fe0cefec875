import { useParams } from 'react-router'
import { AgentVersions } from '../../features/agents/agent-versions.tsx'
import { useAgent } from '../../features/agents/agents-queries.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'

export function AgentVersionsPage() {
  const { botId = '' } = useParams()
  const { data, error, refetch } = useAgent(botId)
  if (error && !data) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  return data ? <AgentVersions key={botId} agent={data} /> : <PageLoading />
}
