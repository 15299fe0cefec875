import { CheckCircleOutlined, ClockCircleOutlined, LoadingOutlined, WarningOutlined } from '@ant-design/icons'
import { Alert, Button, Modal } from 'antd'
import { useEffect, useState } from 'react'
import { useBlocker } from 'react-router'
import type { Workflow } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useErrorToast } from '../../ui/use-error-toast.ts'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import { readWorkflow } from './workflow-editor-queries.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

const ICONS = {
  saved: <CheckCircleOutlined />,
  changed: <ClockCircleOutlined />,
  saving: <LoadingOutlined />,
  failed: <WarningOutlined />,
  conflict: <WarningOutlined />,
}

/** Whether what is drawn is stored. */
export function EditorSaveState() {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const { kind } = useEditorState(({ save }) => save)
  return (
    <span className="quiet">
      <span role="status">
        <span aria-hidden>{ICONS[kind]}</span> {t(`save.${kind}`)}
      </span>
      {kind === 'failed' && (
        <Button size="small" type="link" onClick={() => void store.saveNow()}>
          {t('save.again')}
        </Button>
      )}
    </span>
  )
}

/** What went wrong with saving, and the choice after a conflict. */
export function SaveTrouble() {
  const { store } = useEditorRoom()
  const save = useEditorState((state) => state.save)
  const isRecovered = useEditorState((state) => state.isRecovered)
  if (save.kind === 'failed') return <ErrorNotice error={save.error} onRetry={() => void store.saveNow()} />
  if (save.kind === 'conflict') return <EditorConflict />
  return isRecovered ? <Recovered /> : null
}

function Recovered() {
  const t = useTexts(workflowEditorTexts)
  const [isOpen, setOpen] = useState(true)
  if (!isOpen) return null
  return <Alert type="info" showIcon role="status" title={t('recovered')} closable={{ onClose: () => setOpen(false) }} />
}

function EditorConflict() {
  const t = useTexts(workflowEditorTexts)
  const { workflowId, store } = useEditorRoom()
  const name = useEditorState(({ info }) => info.name)
  const showError = useErrorToast()
  const [isAsking, setAsking] = useState(false)
  const withTheirs = async (apply: (workflow: Workflow) => unknown) => apply(await readWorkflow(workflowId))
  return (
    <>
      <Alert
        role="alert"
        type="warning"
        showIcon
        title={t('conflict.title')}
        description={t('conflict.hint')}
        action={
          <div className="stack" style={{ gap: 8 }}>
            <Button size="small" onClick={() => void withTheirs(store.takeOver).catch(showError)}>
              {t('conflict.theirs')}
            </Button>
            <Button size="small" danger onClick={() => setAsking(true)}>
              {t('conflict.mine')}
            </Button>
          </div>
        }
      />
      <ConfirmDanger
        open={isAsking}
        title={t('conflict.mine_title')}
        consequence={t('conflict.mine_hint', { name })}
        action={t('conflict.mine')}
        onConfirm={() => withTheirs(({ revision }) => store.overwrite(revision))}
        onClose={() => setAsking(false)}
      />
    </>
  )
}

/** Another page waits until all is stored; where that cannot be, the person is asked. */
export function EditorLeaveGuard() {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const kind = useEditorState(({ save }) => save.kind)
  const isSaved = kind === 'saved'
  const blocker = useBlocker(({ currentLocation, nextLocation }) => !isSaved && currentLocation.pathname !== nextLocation.pathname)
  const isBlocked = blocker.state === 'blocked'

  useEffect(() => {
    if (isBlocked) void store.saveNow()
  }, [isBlocked, store])
  useEffect(() => {
    if (blocker.state === 'blocked' && isSaved) blocker.proceed()
  }, [blocker, isSaved])
  useEffect(() => {
    if (isSaved) return
    const ask = (event: BeforeUnloadEvent) => {
      store.keep()
      event.preventDefault()
    }
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [isSaved, store])
  useEffect(() => {
    // phones do not ask: they end pages that are out of sight
    const save = () => void store.saveNow()
    window.addEventListener('pagehide', store.keep)
    window.addEventListener('online', save)
    return () => {
      window.removeEventListener('pagehide', store.keep)
      window.removeEventListener('online', save)
    }
  }, [store])

  return (
    <Modal
      open={isBlocked && (kind === 'failed' || kind === 'conflict')}
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
