import { Tooltip } from 'antd'
import { formatExactTime, formatTime, formatTimeFromNow } from '../lib/format.ts'
import { useLanguage, useTexts } from '../lib/texts.ts'
import { uiTexts } from './ui-texts.ts'

export type TimeTextProps = {
  /** Milliseconds; 0 and nothing are "never". */
  ms: number | undefined
  /** Instead of "never". */
  none?: string
  /** Date and time instead of "3 minutes ago". */
  exact?: boolean
}

/** A moment as people say it; the exact time is in the tooltip. */
export function TimeText({ ms, none, exact = false }: TimeTextProps) {
  const t = useTexts(uiTexts)
  const language = useLanguage()
  if (!ms) return <span className="quiet">{none ?? t('never')}</span>

  return (
    <Tooltip title={formatExactTime(ms, language)}>
      <time dateTime={new Date(ms).toISOString()}>{exact ? formatTime(ms, language) : formatTimeFromNow(ms, language)}</time>
    </Tooltip>
  )
}
