import { CompassOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { Link } from 'react-router'
import { useTexts } from '../lib/texts.ts'
import { EmptyState } from '../ui/empty-state.tsx'
import { usePageTitle } from '../ui/use-page-title.ts'
import { shellTexts } from './shell-texts.ts'

export function NotFoundPage() {
  const t = useTexts(shellTexts)
  usePageTitle(t('not_found.title'))
  return (
    <>
      <h1 className="unseen">{t('not_found.title')}</h1>
      <EmptyState
        icon={<CompassOutlined aria-hidden />}
        title={t('not_found.title')}
        hint={t('not_found.hint')}
        action={
          <Link to="/agents">
            <Button type="primary" tabIndex={-1}>
              {t('not_found.action')}
            </Button>
          </Link>
        }
      />
    </>
  )
}
