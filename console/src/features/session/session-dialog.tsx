import { Button, Modal } from 'antd'
import { useEffect, useState } from 'react'
import { endSessionWait, onSessionEnded } from '../../lib/session-gate.ts'
import { useTexts } from '../../lib/texts.ts'
import { sessionTexts } from './session-texts.ts'
import { SignInForm } from './sign-in-form.tsx'

/** Comes when a request finds the session ended, over whatever is on the page; that request is then sent again. */
export function SessionDialog({ email }: { email: string }) {
  const t = useTexts(sessionTexts)
  const [isEnded, setEnded] = useState(false)
  useEffect(() => onSessionEnded(() => setEnded(true)), [])

  const close = (isRenewed: boolean) => {
    setEnded(false)
    endSessionWait(isRenewed)
  }
  const leave = () => {
    close(false)
    // a whole new page: nothing of the person before stays in memory
    location.assign(`/sign-in?${new URLSearchParams({ to: location.pathname + location.search }).toString()}`)
  }

  return (
    <Modal
      open={isEnded}
      title={t('ended.title')}
      footer={null}
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      destroyOnHidden
      width={420}
    >
      <p className="quiet">{t('ended.hint')}</p>
      <SignInForm email={email} onDone={() => close(true)} />
      <Button type="link" block onClick={leave} style={{ marginTop: 8 }}>
        {t('ended.other')}
      </Button>
    </Modal>
  )
}
