import type { Clock } from '../lib/clock.ts'
import type { Limits } from './limits.ts'
import { createMemoryLimits } from './memory-limits.ts'

export type LimitsOptions = { redisUrl: string | undefined; clock: Clock; onError: (cause: unknown) => void }

/** Counted by all processes that have the same Redis together; without one by this process alone. */
export async function openLimits({ redisUrl, clock, onError }: LimitsOptions): Promise<Limits> {
  if (redisUrl === undefined) return createMemoryLimits(clock)

  const { createRedisLimits } = await import('./redis-limits.ts')
  return createRedisLimits(redisUrl, onError)
}
