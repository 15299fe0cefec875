import type { ReactNode } from 'react'
import styles from './scroll-table.module.css'

export type ScrollTableProps = {
  /** Names the table for screen readers. */
  label: string
  columns: { key: string; title: ReactNode; isNumber?: boolean }[]
  /** A cell for each column; the first one heads its row. */
  rows: { key: string; cells: ReactNode[] }[]
  isBusy?: boolean
}

/** A plain table, which scrolls sideways by itself where the window is too narrow for it. */
export function ScrollTable({ label, columns, rows, isBusy = false }: ScrollTableProps) {
  const className = (at: number) => (columns[at]?.isNumber ? styles.number : undefined)
  return (
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={label} aria-busy={isBusy}>
      <table className={styles.table} aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ key, title }, at) => (
              <th key={key} scope="col" className={className(at)}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, at) =>
                at === 0 ? (
                  <th key={columns[at]?.key} scope="row">
                    {cell}
                  </th>
                ) : (
                  <td key={columns[at]?.key} className={className(at)}>
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
