import { App } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { useUpdateKey } from './api-keys-queries.ts'
import type { ListedKey, WantedKey } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'
import { KeyFormDialog } from './key-form-dialog.tsx'

/** Renames a key, or changes when it ends and what it may do. Programs go on with the same secret. */
export function EditKeyDialog({ apiKey, onClose }: { apiKey: ListedKey; onClose: () => void }) {
  const t = useTexts(apiKeysTexts)
  const { message } = App.useApp()
  const { mutateAsync } = useUpdateKey()

  const save = async (wanted: WantedKey) => {
    await mutateAsync({ id: apiKey.id, ...wanted })
    void message.success(t('changed'))
    onClose()
  }
  return (
    <KeyFormDialog
      title={t('edit_title', { name: apiKey.name })}
      action={t('save')}
      name={apiKey.name}
      before={apiKey}
      onSave={save}
      onClose={onClose}
    />
  )
}
