import { Form, Input, Modal } from 'antd'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { useTexts } from '../lib/texts.ts'
import { ErrorNotice } from './error-notice.tsx'
import { uiTexts } from './ui-texts.ts'

export type ConfirmDangerProps = {
  open: boolean
  /** A question that names the thing: "Delete the key “shop”?" */
  title: string
  /** What will be lost, and what stops working. */
  consequence: ReactNode
  /** The word on the button: "Delete key". */
  action: string
  /** For what cannot be brought back and matters much: this text must be typed first. */
  typeToConfirm?: string
  /** The dialog stays, and says why, when this fails; it closes when it is done. */
  onConfirm: () => Promise<unknown>
  onClose: () => void
}

/** Asks before something is lost. */
export function ConfirmDanger({ onClose, ...props }: ConfirmDangerProps) {
  const { open, title, consequence, action, typeToConfirm, onConfirm } = props
  const t = useTexts(uiTexts)
  const [typed, setTyped] = useState('')
  const [error, setError] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)
  const isAllowed = typeToConfirm === undefined || typed.trim() === typeToConfirm.trim()

  const close = () => {
    setTyped('')
    setError(undefined)
    onClose()
  }
  const confirm = async () => {
    if (!isAllowed) return
    setBusy(true)
    try {
      await onConfirm()
      close()
    } catch (cause) {
      setError(cause)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Modal
      open={open}
      title={title}
      onCancel={close}
      onOk={() => void confirm()}
      okText={action}
      cancelText={t('cancel')}
      okButtonProps={{ danger: true, disabled: !isAllowed }}
      confirmLoading={isBusy}
      destroyOnHidden
    >
      <div className="stack">
        <div>{consequence}</div>
        {typeToConfirm !== undefined && (
          <Form layout="vertical" onFinish={() => void confirm()}>
            <Form.Item label={t('confirm_hint', { name: typeToConfirm })} htmlFor="confirm-danger" style={{ marginBottom: 0 }}>
              <Input id="confirm-danger" value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" />
            </Form.Item>
          </Form>
        )}
        <ErrorNotice error={error} />
      </div>
    </Modal>
  )
}
