import type { ReactNode } from 'react'
import { BrandMark } from '../ui/brand-mark.tsx'
import { OfflineBanner } from '../ui/offline-banner.tsx'
import { usePageTitle } from '../ui/use-page-title.ts'
import styles from './entrance.module.css'
import { LanguageMenu } from './language-menu.tsx'
import { ThemeMenu } from './theme-menu.tsx'

export type EntranceProps = { title: string; hint?: ReactNode; children: ReactNode; footer?: ReactNode }

/** The frame of the pages for people who are not signed in. */
export function Entrance({ title, hint, children, footer }: EntranceProps) {
  usePageTitle(title)
  return (
    <div className={styles.page}>
      <div className={styles.tools} role="banner">
        <LanguageMenu />
        <ThemeMenu />
      </div>
      <OfflineBanner />
      <main className={styles.main}>
        <div className={styles.card}>
          <div className={styles.brand}>
            <BrandMark size={40} />
            <span>Coze Plus</span>
          </div>
          <h1 className={styles.title}>{title}</h1>
          {hint !== undefined && <p className={styles.hint}>{hint}</p>}
          {children}
        </div>
        {footer !== undefined && <div className={styles.footer}>{footer}</div>}
      </main>
    </div>
  )
}
