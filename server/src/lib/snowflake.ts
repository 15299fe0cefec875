import type { Clock } from './clock.ts'

/**
 * 53-bit ids: 41 bits of milliseconds, 5 of worker, 7 of sequence. Numeric, ordered in time, exact
 * in JavaScript, unique over 32 processes.
 */
const EPOCH_MS = Date.UTC(2024, 0, 1)
const WORKERS = 32
const PER_MS = 128

export type NextId = () => string

/** The smallest id that can be made at this time: ids below it are older. */
export const firstIdAt = (ms: number): string => String(Math.max(0, ms - EPOCH_MS) * WORKERS * PER_MS)

export function createSnowflake(workerId: number, clock: Clock): NextId {
  if (!Number.isInteger(workerId) || workerId < 0 || workerId >= WORKERS) throw new RangeError(`worker id ${workerId}`)

  let lastMs = 0
  let sequence = 0
  return () => {
    const now = clock() - EPOCH_MS
    if (now > lastMs) {
      lastMs = now
      sequence = 0
    } else if (++sequence === PER_MS) {
      // @NOTE a full millisecond, or a clock that went back, borrows from the next one: ids stay unique and ordered
      lastMs += 1
      sequence = 0
    }
    return String((lastMs * WORKERS + workerId) * PER_MS + sequence)
  }
}
