import type { Measures } from '../../../../server/src/http/console/usage-wire.ts'
import { formatDuration, formatNumber, formatShortNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import styles from './usage.module.css'
import { usageTexts } from './usage-texts.ts'

/** The whole range in six numbers. */
export function UsageTotals({ total, isChat }: { total: Measures; isChat: boolean }) {
  const t = useTexts(usageTexts)
  const language = useLanguage()
  const share = total.calls === 0 ? 0 : (100 * total.errors) / total.calls
  const tokens = (count: number) => formatShortNumber(count, language)
  const time = (ms: number | null) => (ms === null ? '–' : formatDuration(ms))

  return (
    <dl className={styles.totals} aria-label={t('totals.label')}>
      <Total
        label={t('calls')}
        value={formatNumber(total.calls, language)}
        more={total.open > 0 ? t('totals.open', { count: total.open }) : ''}
      />
      <Total
        label={t('errors')}
        value={formatNumber(total.errors, language)}
        more={t('totals.share', { percent: formatNumber(share, language) })}
      />
      <Total
        label={t('tokens')}
        value={tokens(total.input_tokens + total.output_tokens)}
        more={t('totals.tokens', { input: tokens(total.input_tokens), output: tokens(total.output_tokens) })}
      />
      <Total label={t('latency')} value={time(total.latency_p50_ms)} more={t('totals.p95', { time: time(total.latency_p95_ms) })} />
      {isChat && (
        <Total
          label={t('first_token')}
          value={time(total.first_token_p50_ms)}
          more={t('totals.p95', { time: time(total.first_token_p95_ms) })}
        />
      )}
    </dl>
  )
}

function Total({ label, value, more }: { label: string; value: string; more: string }) {
  return (
    <div className={styles.total}>
      <dt>{label}</dt>
      <dd>
        <strong>{value}</strong>
        <span className="quiet">{more}</span>
      </dd>
    </div>
  )
}
