import { DatePicker, Form, Radio } from 'antd'
import dayjs from 'dayjs'
import type { Dayjs } from 'dayjs'
import { useTexts } from '../../lib/texts.ts'
import { TimeText } from '../../ui/time-text.tsx'
import { apiKeysTexts } from './api-keys-texts.ts'
import styles from './key-dialogs.module.css'

/** `keep`, `never`, `date`, or a number of days from now. */
export type ExpiryChoice = { expiry: string; date?: Dayjs }

const PRESETS = [7, 30, 90, 365]
const DAY_MS = 86_400_000

/** The end of the chosen day; the server takes a moment in milliseconds, 0 for never. Undefined: as it is. */
export function toExpire({ expiry, date }: ExpiryChoice, now = Date.now()): number | undefined {
  if (expiry === 'keep') return undefined
  if (expiry === 'date') return date?.endOf('day').valueOf() ?? 0
  return expiry === 'never' ? 0 : now + Number(expiry) * DAY_MS
}

/** Fields of the form around them. `before`: when a key that there is ends, 0 for never. */
export function ExpiryFields({ before }: { before: number | undefined }) {
  const t = useTexts(apiKeysTexts)
  const expiry = Form.useWatch<string | undefined>('expiry')
  return (
    <>
      <Form.Item
        name="expiry"
        label={t('expires')}
        extra={expiry === 'keep' && (before === 0 ? t('no_expiry') : <EndOfKey ms={before ?? 0} />)}
      >
        <Radio.Group
          className={styles.options}
          aria-label={t('expires')}
          optionType="button"
          options={[
            ...(before === undefined ? [] : [{ value: 'keep', label: t('as_it_is') }]),
            { value: 'never', label: t('never') },
            ...PRESETS.map((days) => ({ value: String(days), label: t('days', { count: days }) })),
            { value: 'date', label: t('on_date') },
          ]}
        />
      </Form.Item>
      {expiry === 'date' && (
        <Form.Item name="date" label={t('date')} rules={[{ required: true, message: t('date_missing') }]}>
          <DatePicker minDate={dayjs().add(1, 'day')} format="YYYY-MM-DD" />
        </Form.Item>
      )}
    </>
  )
}

function EndOfKey({ ms }: { ms: number }) {
  const t = useTexts(apiKeysTexts)
  return (
    <>
      {t('expires_at')} <TimeText ms={ms} exact />
    </>
  )
}
