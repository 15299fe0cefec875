import { BugOutlined, SyncOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useRouteError } from 'react-router'
import { useTexts } from '../lib/texts.ts'
import { EmptyState } from '../ui/empty-state.tsx'
import styles from './crash-page.module.css'
import { shellTexts } from './shell-texts.ts'

/** In the place of a page that has thrown, or whose code is not on the server any more. */
export function CrashPage() {
  const t = useTexts(shellTexts)
  const error = useRouteError()
  const reload = (
    <Button type="primary" onClick={() => location.reload()}>
      {t('crash.reload')}
    </Button>
  )

  return (
    <div className={styles.page} role="alert">
      {isOutdated(error) ? (
        <EmptyState icon={<SyncOutlined aria-hidden />} title={t('outdated.title')} hint={t('outdated.hint')} action={reload} />
      ) : (
        <>
          <EmptyState
            icon={<BugOutlined aria-hidden />}
            title={t('crash.title')}
            hint={t('crash.hint')}
            action={
              <div className={styles.actions}>
                <Button href="/agents">{t('crash.home')}</Button>
                {reload}
              </div>
            }
          />
          <details className={styles.details}>
            <summary>{t('crash.details')}</summary>
            <pre>{error instanceof Error ? (error.stack ?? error.message) : String(error)}</pre>
          </details>
        </>
      )}
    </div>
  )
}

/** A chunk of a build that has been replaced. */
const isOutdated = (error: unknown) => error instanceof TypeError && /dynamically imported module|module script/i.test(error.message)
