import dayjs from 'dayjs'

export const presets = ['day', 'week', 'month', 'quarter'] as const
export type Preset = (typeof presets)[number]
export type Bucket = 'hour' | 'day'

/** `from` ≤ time < `to`, in milliseconds. */
export type UsageRange = { from: number; to: number }

const DAYS: Record<Exclude<Preset, 'day'>, number> = { week: 7, month: 30, quarter: 90 }
const DAY_MS = 86_400_000
/** More hours than this in one chart cannot be told apart. */
const MOST_DAYS_BY_HOUR = 31
const MOST_DAYS = 366

/** Whole days of this time zone, today included; the day is the last 24 hours. Stays the same until the next hour begins. */
export function rangeOfPreset(preset: Preset, now: number): UsageRange {
  const today = dayjs(now).startOf('day')
  if (preset === 'day') {
    const to = dayjs(now).startOf('hour').add(1, 'hour')
    return { from: to.subtract(24, 'hour').valueOf(), to: to.valueOf() }
  }
  return { from: today.subtract(DAYS[preset] - 1, 'day').valueOf(), to: today.add(1, 'day').valueOf() }
}

/** `2026-01-31`, both days included; undefined for what is no such range, or a longer one than the server takes. */
export function parseDayRange(first: string, last: string): UsageRange | undefined {
  const [from, to] = [parseDay(first), parseDay(last)?.add(1, 'day')]
  if (!from || !to || !from.isBefore(to) || to.diff(from, 'day') > MOST_DAYS) return undefined
  return { from: from.valueOf(), to: to.valueOf() }
}

/** For the two fields of a range. */
export const toDays = ({ from, to }: UsageRange): { first: string; last: string } => ({
  first: dayjs(from).format(FORMAT),
  last: dayjs(to - 1).format(FORMAT),
})

export const canBeByHour = ({ from, to }: UsageRange): boolean => to - from <= MOST_DAYS_BY_HOUR * DAY_MS
/** What shows most without being told. */
export const usualBucket = ({ from, to }: UsageRange): Bucket => (to - from <= 2 * DAY_MS ? 'hour' : 'day')

/** Minutes east of Greenwich, where days begin for this person. */
export const offsetMinutesAt = (time: number): number => dayjs(time).utcOffset()

const FORMAT = 'YYYY-MM-DD'

function parseDay(text: string): dayjs.Dayjs | undefined {
  const day = dayjs(text)
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && day.isValid() && day.format(FORMAT) === text ? day : undefined
}
