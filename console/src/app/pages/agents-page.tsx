import { PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { AgentList } from '../../features/agents/agent-list.tsx'
import { agentsTexts } from '../../features/agents/agents-texts.ts'
import { NewAgentDialog } from '../../features/agents/new-agent-dialog.tsx'
import { useTexts } from '../../lib/texts.ts'
import { PageHeader } from '../../ui/page-header.tsx'

export function AgentsPage() {
  const t = useTexts(agentsTexts)
  const navigate = useNavigate()
  const [isCreating, setCreating] = useState(false)
  const createButton = (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setCreating(true)}>
      {t('create')}
    </Button>
  )

  return (
    <>
      <PageHeader title={t('title')} description={t('description')} actions={createButton} />
      <AgentList createButton={createButton} />
      <NewAgentDialog open={isCreating} onClose={() => setCreating(false)} onCreated={({ id }) => void navigate(`/agents/${id}`)} />
    </>
  )
}
