/** `until` comes with a `time` as `<input type="datetime-local">` has it. */
export type OverlapChoice = { overlap: Overlap; time?: string }
export type Overlap = (typeof OVERLAPS)[number]

export const OVERLAPS = ['now', 'hour', 'day', 'week', 'until'] as const
const SECONDS = { now: 0, hour: 3_600, day: 86_400, week: 604_800 }
const MAX_OVERLAP_MS = 30 * 86_400_000

/** How long the old secret stays valid, in seconds; undefined for what is no time, past, or more than 30 days away. */
export function toOverlapSeconds({ overlap, time = '' }: OverlapChoice, now: number): number | undefined {
  if (overlap !== 'until') return SECONDS[overlap]
  // without a zone it is a time of this place
  const left = new Date(time).getTime() - now
  return left > 0 && left <= MAX_OVERLAP_MS ? Math.ceil(left / 1000) : undefined
}

/** For the limits of the field: a time of this place to the minute. */
export function toLocalMinute(ms: number): string {
  const shifted = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000)
  return shifted.toISOString().slice(0, 16)
}

export const lastOverlapEnd = (now: number): number => now + MAX_OVERLAP_MS
