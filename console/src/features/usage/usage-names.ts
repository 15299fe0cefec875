import type { Usage } from '../../../../server/src/http/console/usage-wire.ts'
import type { Language } from '../../lib/languages.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import type { UsageRequest } from './usage-queries.ts'
import { usageTexts } from './usage-texts.ts'

const WITHOUT_KEY = '0'

/** Name and last four characters, and whether the key is gone. */
export function useKeyText() {
  const t = useTexts(usageTexts)
  return ({
    key_id,
    name,
    last_four,
    is_deleted,
  }: Pick<Usage['by_key'][number], 'key_id' | 'name' | 'last_four' | 'is_deleted'>): string => {
    if (key_id === WITHOUT_KEY) return t('key.none')
    const shown = name || t('gone', { id: key_id })
    const text = last_four === '' ? shown : `${shown} …${last_four}`
    return is_deleted ? t('key.deleted', { name: text }) : text
  }
}

/** The beginning of a bucket: an hour or a day. */
export function useBucketText({ bucket }: Pick<UsageRequest, 'bucket'>): (from: number) => string {
  const language = useLanguage()
  return (from) => formatBucket(from, bucket, language)
}

function formatBucket(from: number, bucket: UsageRequest['bucket'], language: Language): string {
  const locale = language === 'zh' ? 'zh-CN' : 'en'
  const day = { month: 'short', day: 'numeric' } as const
  if (bucket === 'day') return new Intl.DateTimeFormat(locale, { ...day, weekday: 'short' }).format(from)
  return new Intl.DateTimeFormat(locale, { ...day, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(from)
}
