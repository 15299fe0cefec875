import { Alert, Modal, Tag } from 'antd'
import type { ReactNode } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { compareCanvases } from './canvas-diff.ts'
import type { CanvasDiff, NodeChange, ValueChange } from './canvas-diff.ts'
import { isObject, parseJsonText } from './canvas-json.ts'
import { nameOf } from './canvas-model.ts'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import type { DraftInfo } from './editor-store.ts'
import styles from './version-compare.module.css'
import { useWorkflowVersion } from './workflow-editor-queries.ts'
import { workflowReleaseTexts } from './workflow-release-texts.ts'

export type VersionCompareProps = { version: string | undefined; onClose: () => void }

/** What the draft has that a version has not. */
export function VersionCompare({ version, onClose }: VersionCompareProps) {
  const t = useTexts(workflowReleaseTexts)
  return (
    <Modal
      open={version !== undefined}
      title={t('compare.title', { version: version ?? '' })}
      onCancel={onClose}
      footer={null}
      width={760}
      destroyOnHidden
    >
      {version !== undefined && <Compared version={version} />}
    </Modal>
  )
}

function Compared({ version }: { version: string }) {
  const t = useTexts(workflowReleaseTexts)
  const { workflowId } = useEditorRoom()
  const canvas = useEditorState((state) => state.canvas)
  const info = useEditorState((state) => state.info)
  const { data, error, refetch } = useWorkflowVersion(workflowId, version)
  if (error) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!data) return <PageLoading />

  const { canvas: text, ...before } = data.draft
  const stored = parseJsonText(text)
  const diff = compareCanvases(isObject(stored) ? stored : {}, canvas)
  const infos = compareInfos(before, info)
  const isSame = diff.nodes.length === 0 && diff.edges.length === 0 && infos.length === 0
  return (
    <div className="stack">
      {isSame && <Alert type="success" showIcon title={t('compare.same')} />}
      {infos.length > 0 && (
        <Part title={t('compare.info')}>
          <Values values={infos.map(({ path, ...rest }) => ({ ...rest, path: path === 'name' ? t('info.name') : t(`compare.${path}`) }))} />
        </Part>
      )}
      {diff.nodes.length > 0 && (
        <Part title={t('compare.nodes')}>
          {diff.nodes.map((change) => (
            <ChangedNode key={`${change.kind} ${change.node.id}`} change={change} />
          ))}
        </Part>
      )}
      {diff.edges.length > 0 && (
        <Part title={t('compare.edges')}>
          <Edges edges={diff.edges} />
        </Part>
      )}
      {diff.moved > 0 && <p className="quiet">{t('compare.moved', { count: diff.moved })}</p>}
    </div>
  )
}

const INFOS = ['name', 'description', 'mode', 'on_crash'] as const
type InfoChange = { path: (typeof INFOS)[number]; before: string; after: string }

const compareInfos = (before: Pick<DraftInfo, (typeof INFOS)[number]>, after: DraftInfo): InfoChange[] =>
  INFOS.filter((name) => before[name] !== after[name]).map((name) => ({ path: name, before: before[name], after: after[name] }))

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.part} aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  )
}

const COLORS = { added: 'green', removed: 'red', changed: 'blue' } as const

function ChangedNode({ change: { node, kind, values } }: { change: NodeChange }) {
  const t = useTexts(workflowReleaseTexts)
  return (
    <div className={styles.node}>
      <div>
        <Tag variant="filled" color={COLORS[kind]}>
          {t(`compare.${kind}`)}
        </Tag>{' '}
        <strong dir="auto">{nameOf(node)}</strong>
      </div>
      <Values values={values} />
    </div>
  )
}

const MOST_VALUES = 30

function Values({ values }: { values: ValueChange[] }) {
  const t = useTexts(workflowReleaseTexts)
  if (values.length === 0) return null
  return (
    <dl className={styles.values}>
      {values.slice(0, MOST_VALUES).map(({ path, before, after }) => (
        <div key={path}>
          <dt className="mono">{path}</dt>
          {before !== undefined && <Side label={t('compare.before')} text={before} look={styles.before} />}
          {after !== undefined && <Side label={t('compare.after')} text={after} look={styles.after} />}
        </div>
      ))}
      {values.length > MOST_VALUES && <p className="quiet">{t('compare.more', { count: values.length - MOST_VALUES })}</p>}
    </dl>
  )
}

const MOST_CHARS = 2_000

function Side({ label, text, look }: { label: string; text: string; look: string | undefined }) {
  const t = useTexts(workflowReleaseTexts)
  return (
    <dd className={look} aria-label={label} dir="auto">
      {text === '' ? <span className="quiet">{t('compare.empty')}</span> : text.slice(0, MOST_CHARS)}
      {text.length > MOST_CHARS && '…'}
    </dd>
  )
}

function Edges({ edges }: Pick<CanvasDiff, 'edges'>) {
  const t = useTexts(workflowReleaseTexts)
  return (
    <ul className={styles.edges}>
      {edges.map(({ kind, from, to, port }, index) => (
        <li key={index}>
          <Tag variant="filled" color={COLORS[kind]}>
            {t(`compare.${kind}`)}
          </Tag>{' '}
          <span dir="auto">{from}</span> → <span dir="auto">{to}</span> {port !== '' && <code className="mono quiet">{port}</code>}
        </li>
      ))}
    </ul>
  )
}
