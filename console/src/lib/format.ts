import type { Language } from './languages.ts'

const localeOf = (language: Language) => (language === 'zh' ? 'zh-CN' : 'en')

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Date and time to the minute, in the time zone of the browser. */
export function formatTime(ms: number, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: 'medium', timeStyle: 'short' }).format(ms)
}

/** To the second: what traces and tooltips show. */
export function formatExactTime(ms: number, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: 'medium', timeStyle: 'medium' }).format(ms)
}

export function formatDate(ms: number, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: 'medium' }).format(ms)
}

/** "3 minutes ago", "in 5 days"; a date when that is more than a month away. */
export function formatTimeFromNow(ms: number, language: Language, now = Date.now()): string {
  const distance = ms - now
  const far = Math.abs(distance)
  if (far > 30 * DAY_MS) return formatDate(ms, language)

  const words = new Intl.RelativeTimeFormat(localeOf(language), { numeric: 'auto' })
  if (far < MINUTE_MS) return words.format(0, 'second')
  if (far < HOUR_MS) return words.format(Math.round(distance / MINUTE_MS), 'minute')
  if (far < DAY_MS) return words.format(Math.round(distance / HOUR_MS), 'hour')
  return words.format(Math.round(distance / DAY_MS), 'day')
}

/** "840 ms", "3.2 s", "1 min 5 s". */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < MINUTE_MS) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

export function formatNumber(value: number, language: Language): string {
  return new Intl.NumberFormat(localeOf(language), { maximumFractionDigits: 2 }).format(value)
}

/** "12.3K" where space is short. */
export function formatShortNumber(value: number, language: Language): string {
  return new Intl.NumberFormat(localeOf(language), { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? ''}`
}
