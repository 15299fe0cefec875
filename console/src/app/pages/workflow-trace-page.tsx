import { useParams } from 'react-router'
import { RunTrace } from '../../features/workflow-runs/run-trace.tsx'

export function WorkflowTracePage() {
  const { workflowId = '', runId = '' } = useParams()
  return <RunTrace key={runId} workflowId={workflowId} runId={runId} />
}
