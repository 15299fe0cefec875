import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { useDeleteAgent } from './agents-queries.ts'
import { agentsTexts } from './agents-texts.ts'

export type DeleteAgentDialogProps = {
  agent: { id: string; name: string }
  open: boolean
  onClose: () => void
  onDeleted: () => void
}

export function DeleteAgentDialog({ agent, open, onClose, onDeleted }: DeleteAgentDialogProps) {
  const t = useTexts(agentsTexts)
  const remove = useDeleteAgent()
  return (
    <ConfirmDanger
      open={open}
      title={t('remove.title', { name: agent.name })}
      consequence={t('remove.consequence')}
      action={t('remove.action')}
      typeToConfirm={agent.name}
      onConfirm={async () => {
        await remove.mutateAsync(agent)
        onDeleted()
      }}
      onClose={onClose}
    />
  )
}
