import { PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'
import { ImportButton, ImportCanvasDialog } from '../../features/workflows/import-canvas-dialog.tsx'
import { NewWorkflowDialog } from '../../features/workflows/new-workflow-dialog.tsx'
import { WorkflowList } from '../../features/workflows/workflow-list.tsx'
import { workflowsTexts } from '../../features/workflows/workflows-texts.ts'
import { useTexts } from '../../lib/texts.ts'
import { PageHeader } from '../../ui/page-header.tsx'

export function WorkflowsPage() {
  const t = useTexts(workflowsTexts)
  const [open, setOpen] = useState<'new' | 'import'>()
  const close = () => setOpen(undefined)
  const actions = (
    <>
      <ImportButton onClick={() => setOpen('import')} />
      <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setOpen('new')}>
        {t('create.action')}
      </Button>
    </>
  )
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} actions={actions} />
      <WorkflowList actions={<div style={{ display: 'flex', gap: 8 }}>{actions}</div>} />
      <NewWorkflowDialog open={open === 'new'} onClose={close} />
      <ImportCanvasDialog open={open === 'import'} onClose={close} />
    </>
  )
}
