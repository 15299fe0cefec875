import { ArrowLeftOutlined } from '@ant-design/icons'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { useTexts } from '../lib/texts.ts'
import styles from './page-header.module.css'
import { uiTexts } from './ui-texts.ts'
import { usePageTitle } from './use-page-title.ts'

export type PageHeaderProps = {
  title: string
  /** One sentence about what this page is for. */
  description?: ReactNode
  /** Buttons; the most important one last. */
  actions?: ReactNode
  /** Path of the page above this one. */
  backTo?: string
  /** Beside the title: a status. */
  badge?: ReactNode
}

/** The head of every page: its `h1`, and the title of the browser's tab. */
export function PageHeader({ title, description, actions, backTo, badge }: PageHeaderProps) {
  const t = useTexts(uiTexts)
  usePageTitle(title)

  return (
    <header className={styles.header}>
      <div className={styles.words}>
        <div className={styles.line}>
          {backTo !== undefined && (
            <Link to={backTo} className={styles.back} aria-label={t('back')}>
              <ArrowLeftOutlined />
            </Link>
          )}
          <h1 className={styles.title} dir="auto">
            {title}
          </h1>
          {badge}
        </div>
        {description !== undefined && <p className={styles.description}>{description}</p>}
      </div>
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
    </header>
  )
}
