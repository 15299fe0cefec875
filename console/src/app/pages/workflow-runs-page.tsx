import { Button } from 'antd'
import { Link, useParams } from 'react-router'
import { RunHistory } from '../../features/workflow-runs/run-history.tsx'
import { useRunsWorkflow } from '../../features/workflow-runs/workflow-runs-queries.ts'
import { workflowRunsTexts } from '../../features/workflow-runs/workflow-runs-texts.ts'
import { useTexts } from '../../lib/texts.ts'
import { PageHeader } from '../../ui/page-header.tsx'

export function WorkflowRunsPage() {
  const t = useTexts(workflowRunsTexts)
  const { workflowId = '' } = useParams()
  const { data: workflow } = useRunsWorkflow(workflowId)
  return (
    <>
      <PageHeader
        title={workflow ? t('title', { name: workflow.draft.name }) : t('title_loading')}
        description={t('description')}
        backTo={`/workflows/${workflowId}`}
        actions={
          <Link to={`/workflows/${workflowId}`}>
            <Button tabIndex={-1}>{t('edit')}</Button>
          </Link>
        }
      />
      <RunHistory workflowId={workflowId} />
    </>
  )
}
