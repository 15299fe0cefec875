import { ReloadOutlined } from '@ant-design/icons'
import { Button, Input, Segmented } from 'antd'
import { useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import styles from './usage.module.css'
import { canBeByHour, parseDayRange, presets, toDays } from './usage-range.ts'
import { usageTexts } from './usage-texts.ts'
import type { UsageView } from './use-usage-view.ts'

/** What to look at: chats or workflows, when, and in which steps. */
export function UsageControls({ view, isBusy, onRefresh }: { view: UsageView; isBusy: boolean; onRefresh: () => void }) {
  const t = useTexts(usageTexts)
  const { request, range, preset, change } = view
  return (
    <div className={styles.controls}>
      <Segmented
        aria-label={t('kind.label')}
        value={request.kind}
        options={(['chat', 'workflow'] as const).map((value) => ({ value, label: t(`kind.${value}`) }))}
        onChange={(kind) => change({ kind: kind === 'chat' ? '' : kind, subject: '' })}
      />
      <Segmented
        aria-label={t('range.label')}
        value={preset ?? 'own'}
        options={[
          ...presets.map((value) => ({ value, label: t(`range.${value}`) })),
          // the two fields choose it
          ...(preset ? [] : [{ value: 'own' as const, label: t('range.own') }]),
        ]}
        onChange={(value) => value !== 'own' && change({ range: value === 'week' ? '' : value, from: '', to: '', bucket: '' })}
      />
      <DayFields key={`${range.from} ${range.to}`} view={view} />
      <Segmented
        aria-label={t('bucket.label')}
        value={request.bucket}
        options={(['hour', 'day'] as const).map((value) => ({
          value,
          label: t(`bucket.${value}`),
          disabled: value === 'hour' && !canBeByHour(range),
        }))}
        onChange={(bucket) => change({ bucket })}
      />
      <Button icon={<ReloadOutlined aria-hidden />} loading={isBusy} onClick={onRefresh}>
        {t('refresh')}
      </Button>
    </div>
  )
}

/** Takes effect as soon as both are days, the first before the last. */
function DayFields({ view: { range, change } }: { view: UsageView }) {
  const t = useTexts(usageTexts)
  const [days, setDays] = useState(() => toDays(range))
  const isWrong = !parseDayRange(days.first, days.last)

  const enter = (next: typeof days) => {
    setDays(next)
    if (parseDayRange(next.first, next.last)) change({ range: '', bucket: '', from: next.first, to: next.last })
  }
  return (
    <div className={styles.days}>
      <Input
        type="date"
        aria-label={t('range.first')}
        status={isWrong ? 'error' : undefined}
        aria-invalid={isWrong}
        value={days.first}
        onChange={({ target }) => enter({ ...days, first: target.value })}
      />
      <span aria-hidden>–</span>
      <Input
        type="date"
        aria-label={t('range.last')}
        status={isWrong ? 'error' : undefined}
        aria-invalid={isWrong}
        value={days.last}
        onChange={({ target }) => enter({ ...days, last: target.value })}
      />
      {isWrong && (
        <span role="alert" className={styles.wrong}>
          {t('range.wrong')}
        </span>
      )}
    </div>
  )
}
