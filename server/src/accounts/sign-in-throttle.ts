import { LRUCache } from 'lru-cache'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'

export type SignInThrottle = {
  /**
   * Runs the attempt unless too many with this key failed lately; then throws `rate_limited`.
   * An attempt fails when it throws `unauthenticated` or `invalid_request`; one that succeeds clears the key.
   */
  guard<T>(key: string, attempt: () => Promise<T>): Promise<T>
}

/** Five failures in a quarter of an hour, counted in this process. */
export function createSignInThrottle(clock: Clock): SignInThrottle {
  const failures = new LRUCache<string, Failures>({ max: KEYS_REMEMBERED })

  // @NOTE a try counts from its start: many at once cannot all slip through before the first has failed
  const start = (key: string): Failures => {
    const now = clock()
    const earlier = failures.get(key)
    const current = earlier && now - earlier.since < WINDOW_MS ? earlier : { count: 0, since: now }
    if (current.count >= FAILURES_ALLOWED) {
      const retryAfterMs = current.since + WINDOW_MS - now
      throw new AppError('rate_limited', `too many failed attempts: try again in ${Math.ceil(retryAfterMs / 60_000)} minutes`, {
        retryAfterMs,
      })
    }
    current.count++
    failures.set(key, current)
    return current
  }

  return {
    async guard(key, attempt) {
      const current = start(key)
      try {
        const result = await attempt()
        failures.delete(key)
        return result
      } catch (cause) {
        if (!isFailure(cause)) current.count--
        throw cause
      }
    },
  }
}

type Failures = { count: number; since: number }

const FAILURES_ALLOWED = 5
const WINDOW_MS = 15 * 60_000
const KEYS_REMEMBERED = 10_000

const isFailure = (cause: unknown) => cause instanceof AppError && (cause.code === 'unauthenticated' || cause.code === 'invalid_request')
