import { Modal } from 'antd'
import { useEffect } from 'react'
import { useBlocker } from 'react-router'
import { useTexts } from '../../lib/texts.ts'
import { agentEditorTexts } from './agent-editor-texts.ts'

/** Other pages of the console wait until all is saved; when that cannot be, the person is asked. */
export function LeaveGuard({ isSaved, isDeleted, flush }: { isSaved: boolean; isDeleted: () => boolean; flush: () => Promise<boolean> }) {
  const t = useTexts(agentEditorTexts)
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) => !isSaved && !isDeleted() && currentLocation.pathname !== nextLocation.pathname,
  )
  const isBlocked = blocker.state === 'blocked'

  useEffect(() => {
    if (isBlocked) void flush()
  }, [isBlocked, flush])
  useEffect(() => {
    if (blocker.state === 'blocked' && isSaved) blocker.proceed()
  }, [blocker, isSaved])

  return (
    <Modal
      open={isBlocked && !isSaved}
      title={t('leave.title')}
      okText={t('leave.leave')}
      cancelText={t('leave.stay')}
      okButtonProps={{ danger: true }}
      onOk={() => blocker.proceed?.()}
      onCancel={() => blocker.reset?.()}
    >
      {t('leave.hint')}
    </Modal>
  )
}
