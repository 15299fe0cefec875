import { Alert, Button } from 'antd'
import type { ReactNode } from 'react'
import { useTexts } from '../lib/texts.ts'
import { useErrorText } from './error-text.ts'
import { uiTexts } from './ui-texts.ts'

export type ErrorNoticeProps = {
  /** Nothing is shown without one. */
  error: unknown
  /** Adds a "Try again". */
  onRetry?: () => void
  /** More to do than to try again. */
  action?: ReactNode
}

/** What happened and what to try, for any error; read out by screen readers as soon as it appears. */
export function ErrorNotice({ error, onRetry, action }: ErrorNoticeProps) {
  const t = useTexts(uiTexts)
  const describe = useErrorText()
  if (!error) return null

  const { what, detail, hint, requestId } = describe(error)
  return (
    <Alert
      role="alert"
      type="error"
      showIcon
      title={what}
      description={
        <>
          {detail !== undefined && <div>{detail}</div>}
          <div>{hint}</div>
          {requestId !== undefined && <small className="quiet">{t('request_id', { id: requestId })}</small>}
        </>
      }
      action={
        action ??
        (onRetry && (
          <Button size="small" onClick={onRetry}>
            {t('retry')}
          </Button>
        ))
      }
    />
  )
}
