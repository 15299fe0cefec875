import {
  ArrowLeftOutlined,
  CloudUploadOutlined,
  MoreOutlined,
  PartitionOutlined,
  PlayCircleOutlined,
  PlusOutlined,
  RedoOutlined,
  UndoOutlined,
  WarningOutlined,
} from '@ant-design/icons'
import { Button, Dropdown, Tag, Tooltip } from 'antd'
import type { ReactNode } from 'react'
import { Link, useNavigate } from 'react-router'
import { useTexts } from '../../lib/texts.ts'
import { usePageTitle } from '../../ui/use-page-title.ts'
import { toJsonText } from './canvas-json.ts'
import styles from './editor-bar.module.css'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import { EditorSaveState } from './editor-save-state.tsx'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type EditorBarProps = {
  issueCount: number | undefined
  onAdd: () => void
  onArrange: () => void
  onIssues: () => void
  onTest: () => void
  onPublish: () => void
  onVersions: () => void
  onInfo: () => void
  onUnpublish: () => void
}

/** The name of the workflow, its state, and what can be done with it. */
export function EditorBar({ issueCount, onAdd, onArrange, onIssues, onTest, onPublish, ...menu }: EditorBarProps) {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const name = useEditorState(({ info }) => info.name)
  const canUndo = useEditorState(({ past }) => past.length > 0)
  const canRedo = useEditorState(({ future }) => future.length > 0)
  usePageTitle(name)

  return (
    <header className={styles.bar}>
      <div className={styles.name}>
        <Link to="/workflows" aria-label={t('back')} className={styles.back}>
          <ArrowLeftOutlined />
        </Link>
        <div className={styles.words}>
          <h1 dir="auto">{name}</h1>
          <div className={styles.line}>
            <LiveTag />
            <EditorSaveState />
          </div>
        </div>
      </div>
      <div className={styles.actions}>
        <IconButton label={t('undo')} icon={<UndoOutlined aria-hidden />} disabled={!canUndo} onClick={store.undo} />
        <IconButton label={t('redo')} icon={<RedoOutlined aria-hidden />} disabled={!canRedo} onClick={store.redo} />
        <IconButton label={t('arrange')} icon={<PartitionOutlined aria-hidden />} onClick={onArrange} />
        <Button icon={<PlusOutlined aria-hidden />} onClick={onAdd}>
          {t('add')}
        </Button>
        {issueCount !== undefined && (
          <Button danger={issueCount > 0} icon={issueCount > 0 ? <WarningOutlined aria-hidden /> : undefined} onClick={onIssues}>
            {issueCount > 0 ? t('issues.count', { count: issueCount }) : t('issues.none')}
          </Button>
        )}
        <Button icon={<PlayCircleOutlined aria-hidden />} onClick={onTest}>
          {t('test')}
        </Button>
        <Button type="primary" icon={<CloudUploadOutlined aria-hidden />} onClick={onPublish}>
          {t('publish')}
        </Button>
        <MoreMenu {...menu} />
      </div>
    </header>
  )
}

function LiveTag() {
  const t = useTexts(workflowEditorTexts)
  const live = useEditorState(({ stored }) => stored.live)
  const hasChanges = useEditorState(({ stored }) => stored.has_unpublished_changes)
  if (!live) return <Tag variant="filled">{t('status.draft')}</Tag>
  return (
    <Tag variant="filled" color={hasChanges ? undefined : 'green'}>
      {t(hasChanges ? 'status.changed' : 'status.live', { version: live.version })}
    </Tag>
  )
}

type IconButtonProps = { label: string; icon: ReactNode; disabled?: boolean; onClick: () => void }

function IconButton({ label, ...button }: IconButtonProps) {
  return (
    <Tooltip title={label}>
      <Button aria-label={label} {...button} />
    </Tooltip>
  )
}

function MoreMenu({ onVersions, onInfo, onUnpublish }: Pick<EditorBarProps, 'onVersions' | 'onInfo' | 'onUnpublish'>) {
  const t = useTexts(workflowEditorTexts)
  const navigate = useNavigate()
  const { workflowId, store } = useEditorRoom()
  const isLive = useEditorState(({ stored }) => stored.live !== null)
  const items = [
    { key: 'runs', label: t('runs'), onClick: () => void navigate(`/workflows/${workflowId}/runs`) },
    { key: 'versions', label: t('versions'), onClick: onVersions },
    { key: 'info', label: t('details'), onClick: onInfo },
    { key: 'export', label: t('export'), onClick: () => exportCanvas(store.getState()) },
    ...(isLive ? [{ key: 'unpublish', label: t('unpublish'), danger: true, onClick: onUnpublish }] : []),
  ]
  return (
    <Dropdown menu={{ items }} trigger={['click']} placement="bottomRight">
      <Button icon={<MoreOutlined aria-hidden />} aria-label={t('more')} />
    </Dropdown>
  )
}

/** As a file that Coze Studio and this console read. */
function exportCanvas({ canvas, info }: Parameters<typeof nameOfFile>[0] & { canvas: Parameters<typeof toJsonText>[0] }): void {
  const url = URL.createObjectURL(new Blob([toJsonText(canvas, 2)], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = nameOfFile({ info })
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS)
}

// the browser reads it after the click has returned
const KEPT_MS = 60_000

const nameOfFile = ({ info }: { info: { name: string } }) =>
  `${info.name.replace(/[\\/:*?"<>|\p{C}]+/gu, '-').slice(0, 100) || 'workflow'}.json`
