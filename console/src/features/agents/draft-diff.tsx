import type { DraftChange } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { agentsTexts } from './agents-texts.ts'
import styles from './draft-diff.module.css'
import { diffLines } from './line-diff.ts'
import type { DiffLine } from './line-diff.ts'

type Field = keyof typeof agentsTexts.en.diff.field

/** What is different, field by field; long texts line by line. */
export function DraftDiff({ changes }: { changes: DraftChange[] }) {
  const t = useTexts(agentsTexts)
  return (
    <ul className={styles.changes}>
      {changes.map(({ path, before, after }) => {
        const field = fieldOf(path)
        const [old, fresh] = [toText(before), toText(after)]
        return (
          <li key={path}>
            <strong>{field ? t(`diff.field.${field}`) : path}</strong>
            {old === fresh ? <p className="quiet">{t('diff.secrets')}</p> : <Change before={old} after={fresh} />}
          </li>
        )
      })}
    </ul>
  )
}

/** The text of a path such as `parameters.temperature`. */
export function fieldOf(path: string): Field | undefined {
  const last = path.split('.').at(-1)
  return FIELDS.find((field) => field === last)
}

const isField = (name: string): name is Field => name in agentsTexts.en.diff.field
const FIELDS = Object.keys(agentsTexts.en.diff.field).filter(isField)

function Change({ before, after }: { before: string; after: string }) {
  const t = useTexts(agentsTexts)
  if (!before.includes('\n') && !after.includes('\n')) {
    return (
      <p className={styles.short}>
        <del aria-label={t('diff.before')}>{before || t('diff.nothing')}</del> <span aria-hidden>→</span>{' '}
        <ins aria-label={t('diff.after')}>{after || t('diff.nothing')}</ins>
      </p>
    )
  }
  return (
    <div className={styles.lines} tabIndex={0} role="group" aria-label={`${t('diff.before')} → ${t('diff.after')}`}>
      {shorten(diffLines(before, after)).map((line, index) => (
        <DiffRow key={index} line={line} />
      ))}
    </div>
  )
}

type Row = DiffLine | { kind: 'gap' | 'cut'; count: number }

function DiffRow({ line }: { line: Row }) {
  const t = useTexts(agentsTexts)
  switch (line.kind) {
    case 'gap':
      return <div className={styles.gap}>{t('diff.same_lines', { count: line.count })}</div>
    case 'cut':
      return <div className={styles.gap}>{t('diff.cut', { count: line.count })}</div>
    case 'removed':
      return <del>{`− ${line.text}`}</del>
    case 'added':
      return <ins>{`+ ${line.text}`}</ins>
    case 'same':
      return <span>{`  ${line.text}`}</span>
  }
}

const AROUND = 2
const MOST_ROWS = 400

/** Without the middle of long stretches that are the same, and not longer than somebody reads. */
function shorten(lines: DiffLine[]): Row[] {
  const isNear = lines.map((_line, index) =>
    lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some(({ kind }) => kind !== 'same'),
  )
  const rows: Row[] = []
  lines.forEach((line, index) => {
    const last = rows.at(-1)
    if (isNear[index]) rows.push(line)
    else if (last?.kind === 'gap') last.count++
    else rows.push({ kind: 'gap', count: 1 })
  })
  return rows.length <= MOST_ROWS ? rows : [...rows.slice(0, MOST_ROWS), { kind: 'cut', count: rows.length - MOST_ROWS }]
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value) && value.length === 0) return ''
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join('\n')
  return JSON.stringify(value, null, 2)
}
