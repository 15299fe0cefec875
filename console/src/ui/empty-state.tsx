import type { ReactNode } from 'react'
import styles from './empty-state.module.css'

export type EmptyStateProps = {
  icon?: ReactNode
  /** What is not there. */
  title: string
  /** What it would be good for, and how to get it. */
  hint?: ReactNode
  /** The button that does it. */
  action?: ReactNode
}

/** In the place of a list that has nothing in it. */
export function EmptyState({ icon, title, hint, action }: EmptyStateProps) {
  return (
    <section className={styles.empty}>
      {icon !== undefined && (
        <div className={styles.icon} aria-hidden>
          {icon}
        </div>
      )}
      <h2 className={styles.title}>{title}</h2>
      {hint !== undefined && <p className={styles.hint}>{hint}</p>}
      {action !== undefined && <div className={styles.action}>{action}</div>}
    </section>
  )
}
