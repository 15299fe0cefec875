import styles from './code-block.module.css'
import { CopyButton } from './copy-button.tsx'

export type CodeBlockProps = {
  code: string
  /** Names the block for screen readers. */
  label: string
  /** What the button copies, when that is more than is shown: a secret in the place of its mask. */
  copied?: string
  /** No button: for what only this page needs. */
  plain?: boolean
}

/** Code or other text as it is, to look at and to copy. */
export function CodeBlock({ code, label, copied = code, plain = false }: CodeBlockProps) {
  return (
    <div className={styles.block}>
      <pre className={styles.code} tabIndex={0} role="group" aria-label={label} dir="ltr">
        {code}
      </pre>
      {!plain && (
        <div className={styles.copy}>
          <CopyButton text={copied} size="small" />
        </div>
      )}
    </div>
  )
}
