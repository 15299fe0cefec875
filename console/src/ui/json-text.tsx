import { useTexts } from '../lib/texts.ts'
import { CopyButton } from './copy-button.tsx'
import styles from './json-text.module.css'
import { runTexts } from './run-texts.ts'

export type JsonTextProps = {
  /** What it is, above it. */
  label: string
  /** JSON, laid out to be read; anything else as it is. */
  text: string
}

/** A value of a run, to read and to copy. */
export function JsonText({ label, text }: JsonTextProps) {
  const t = useTexts(runTexts)
  const isEmpty = text === '' || text === '{}' || text === 'null'
  return (
    <section className={styles.block} aria-label={label}>
      <header className={styles.head}>
        <h3 className={styles.label}>{label}</h3>
        {!isEmpty && <CopyButton text={text} label={t('json.copy', { name: label })} bare size="small" type="text" />}
      </header>
      {isEmpty ? (
        <span className="quiet">{t('json.empty')}</span>
      ) : (
        <pre className={`mono ${styles.text}`} tabIndex={0} dir="auto">
          {laidOut(text)}
        </pre>
      )}
    </section>
  )
}

/** @NOTE not by JSON.parse and stringify: that would change numbers with many digits */
function laidOut(text: string): string {
  if (!/^\s*[[{]/.test(text) || !isJson(text)) return text
  let depth = 0
  const line = () => `\n${'  '.repeat(depth)}`
  const parts = text.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? []
  return parts
    .map((part, index) => {
      if (part === '{' || part === '[') {
        depth += 1
        return part === opening(parts[index + 1]) ? part : part + line()
      }
      if (part === '}' || part === ']') {
        depth -= 1
        return opening(part) === parts[index - 1] ? part : line() + part
      }
      if (part === ',') return part + line()
      return part === ':' ? ': ' : part
    })
    .join('')
}

const opening = (part: string | undefined) => (part === '}' ? '{' : part === ']' ? '[' : undefined)

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
