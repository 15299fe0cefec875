import { useParams } from 'react-router'
import { WorkflowEditor } from '../../features/workflow-editor/workflow-editor.tsx'

export function WorkflowEditorPage() {
  const { workflowId = '' } = useParams()
  return <WorkflowEditor key={workflowId} workflowId={workflowId} />
}
