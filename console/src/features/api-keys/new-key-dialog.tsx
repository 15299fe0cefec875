import { useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { useCreateKey } from './api-keys-queries.ts'
import type { NewKey, WantedKey } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'
import { KeyFormDialog } from './key-form-dialog.tsx'
import { MadeKey } from './made-key.tsx'

export type NewKeyDialogProps = {
  /** To begin with. */
  name?: string
  onClose: () => void
  /** Adds a way to hand the key to the page that it was made on. */
  onUse?: (secret: string) => void
}

/** Makes a key and shows it, once: closed, the page knows nothing of it any more. */
export function NewKeyDialog({ name = '', onClose, onUse }: NewKeyDialogProps) {
  const t = useTexts(apiKeysTexts)
  const [made, setMade] = useState<NewKey>()
  if (!made) return <NewKeyForm name={name} onClose={onClose} onMade={setMade} />

  const use =
    onUse &&
    (() => {
      onUse(made.secret)
      onClose()
    })
  return <MadeKey title={t('made.title', { name: made.name })} secret={made.secret} onClose={onClose} onUse={use} />
}

/** Gone as soon as there is a key, and with it what the request has answered: the secret is in no cache. */
function NewKeyForm({ name, onClose, onMade }: { name: string; onClose: () => void; onMade: (key: NewKey) => void }) {
  const t = useTexts(apiKeysTexts)
  const { mutateAsync } = useCreateKey()
  const save = async (wanted: WantedKey) => onMade(await mutateAsync(wanted))
  return <KeyFormDialog title={t('create')} action={t('make')} name={name} onSave={save} onClose={onClose} />
}
