import { App, Button, Drawer, Tag } from 'antd'
import { useState } from 'react'
import type { Version } from '../../../../server/src/http/console/agent-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { useErrorToast } from '../../ui/use-error-toast.ts'
import { isObject, parseJsonText } from './canvas-json.ts'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import { readWorkflowVersion, useRollBackWorkflow, useWorkflowVersions } from './workflow-editor-queries.ts'
import { VersionCompare } from './version-compare.tsx'
import { workflowReleaseTexts } from './workflow-release-texts.ts'
import styles from './workflow-history.module.css'

const SIZE = 20

/** What was published, newest first: to make live again, or to go on from. */
export function WorkflowHistory({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts(workflowReleaseTexts)
  const name = useEditorState(({ info }) => info.name)
  return (
    <Drawer open={open} onClose={onClose} title={t('history.title', { name })} size={480} destroyOnHidden>
      <Versions onClose={onClose} />
    </Drawer>
  )
}

function Versions({ onClose }: { onClose: () => void }) {
  const t = useTexts(workflowReleaseTexts)
  const { message } = App.useApp()
  const showError = useErrorToast()
  const { workflowId, store } = useEditorRoom()
  const [page, setPage] = useState(1)
  const [chosen, setChosen] = useState<string>()
  const [compared, setCompared] = useState<string>()
  const { data, error, refetch } = useWorkflowVersions(workflowId, { page, size: SIZE })
  const rollBack = useRollBackWorkflow(workflowId)
  const name = useEditorState(({ info }) => info.name)

  const take = async (version: string) => {
    try {
      const canvas = parseJsonText((await readWorkflowVersion(workflowId, version)).draft.canvas)
      if (isObject(canvas)) store.edit(() => canvas)
      void message.success(t('history.taken', { version }))
      onClose()
    } catch (cause) {
      showError(cause)
    }
  }
  const makeLive = async (version: string) => {
    const { draft, ...stored } = await rollBack.mutateAsync(version)
    store.noteStored({ ...stored, revision: store.getState().stored.revision })
    void message.success(t('history.rolled_back', { version }))
  }

  if (error && !data) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!data) return <PageLoading />
  if (data.total === 0) return <p className="quiet">{t('history.empty')}</p>
  return (
    <div className="stack">
      <ul className={styles.versions}>
        {data.items.map((version) => (
          <VersionRow
            key={version.version}
            version={version}
            onCompare={() => setCompared(version.version)}
            onTake={() => void take(version.version)}
            onRollBack={() => setChosen(version.version)}
          />
        ))}
      </ul>
      <ListPager page={page} size={SIZE} total={data.total} onPage={setPage} />
      <VersionCompare version={compared} onClose={() => setCompared(undefined)} />
      <ConfirmDanger
        open={chosen !== undefined}
        title={t('history.roll_back_title', { version: chosen ?? '' })}
        consequence={t('history.roll_back_hint', { name })}
        action={t('history.roll_back')}
        onConfirm={() => makeLive(chosen ?? '')}
        onClose={() => setChosen(undefined)}
      />
    </div>
  )
}

type VersionRowProps = { version: Version; onCompare: () => void; onTake: () => void; onRollBack: () => void }

function VersionRow({ version, onCompare, onTake, onRollBack }: VersionRowProps) {
  const t = useTexts(workflowReleaseTexts)
  const { version: name, note, created_at, is_live } = version
  return (
    <li className={styles.version}>
      <div className={styles.line}>
        <strong dir="auto">{name}</strong>
        {is_live && (
          <Tag variant="filled" color="green">
            {t('history.live')}
          </Tag>
        )}
        <TimeText ms={created_at} />
      </div>
      {note !== '' && (
        <p className={styles.note} dir="auto">
          {note}
        </p>
      )}
      <div className={styles.line}>
        {!is_live && (
          <Button size="small" aria-label={t('history.roll_back_name', { version: name })} onClick={onRollBack}>
            {t('history.roll_back')}
          </Button>
        )}
        <Button size="small" aria-label={t('compare.name', { version: name })} onClick={onCompare}>
          {t('compare.action')}
        </Button>
        <Button size="small" aria-label={t('history.take_name', { version: name })} onClick={onTake}>
          {t('history.take')}
        </Button>
      </div>
    </li>
  )
}
