import { Alert, Button, Input, Modal } from 'antd'
import type { ReactNode } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { apiKeysTexts } from './api-keys-texts.ts'

export type MadeKeyProps = {
  title: string
  secret: string
  /** What else is to be known. */
  note?: ReactNode
  onClose: () => void
  /** Adds a way to hand the key to the page that it was made on. */
  onUse?: () => void
}

/** A secret, the only time that it is seen: nothing but its buttons closes this. */
export function MadeKey({ title, secret, note, onClose, onUse }: MadeKeyProps) {
  const t = useTexts(apiKeysTexts)
  return (
    <Modal
      open
      title={title}
      onCancel={onClose}
      mask={{ closable: false }}
      keyboard={false}
      closable={false}
      footer={
        <>
          <Button type={onUse ? 'default' : 'primary'} onClick={onClose}>
            {t('made.done')}
          </Button>
          {onUse && (
            <Button type="primary" onClick={onUse}>
              {t('made.use')}
            </Button>
          )}
        </>
      }
    >
      <div className="stack">
        <Alert type="warning" showIcon title={t('made.once')} />
        <Input readOnly className="mono" value={secret} aria-label={t('made.field')} onFocus={({ target }) => target.select()} />
        <div>
          <CopyButton text={secret} label={t('made.copy')} />
        </div>
        {note}
      </div>
    </Modal>
  )
}
