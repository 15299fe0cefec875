import { App } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { useDeleteKey, useUpdateKey } from './api-keys-queries.ts'
import type { ListedKey } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'
import { EditKeyDialog } from './edit-key-dialog.tsx'
import { RotateKeyDialog } from './rotate-key-dialog.tsx'

export type OpenKeyDialog = { what: 'edit' | 'rotate' | 'disable' | 'delete'; apiKey: ListedKey }
type KeyDialogsProps = { open: OpenKeyDialog | undefined; onClose: () => void; onDeleted: () => void }

export function KeyDialogs({ open, onClose, onDeleted }: KeyDialogsProps) {
  const t = useTexts(apiKeysTexts)
  const { message } = App.useApp()
  const update = useUpdateKey()
  const remove = useDeleteKey()
  if (!open) return null

  const { what, apiKey } = open
  const { id, name, masked } = apiKey
  const disable = async () => {
    await update.mutateAsync({ id, disabled: true })
    void message.success(t('disabled', { name }))
  }
  const deleteKey = async () => {
    await remove.mutateAsync(id)
    onDeleted()
    void message.success(t('removed', { name }))
  }
  switch (what) {
    case 'edit':
      return <EditKeyDialog apiKey={apiKey} onClose={onClose} />
    case 'rotate':
      return <RotateKeyDialog apiKey={apiKey} onClose={onClose} />
    case 'disable':
      return (
        <ConfirmDanger
          open
          title={t('disable_title', { name })}
          consequence={t('disable_hint', { masked })}
          action={t('disable')}
          onConfirm={disable}
          onClose={onClose}
        />
      )
    case 'delete':
      return (
        <ConfirmDanger
          open
          title={t('remove_title', { name })}
          consequence={t('remove_hint', { masked })}
          action={t('remove')}
          onConfirm={deleteKey}
          onClose={onClose}
        />
      )
  }
}
