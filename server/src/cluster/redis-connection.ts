import { Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'
import { pause } from '../lib/background.ts'

/** Connects now and again after every loss, for as long as it is open. */
export function connectRedis(redisUrl: string, options: RedisOptions = {}): Redis {
  return new Redis(redisUrl, {
    // BullMQ asks for it: its commands wait for a Redis that is away
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(attempt * 200, 2_000),
    // it keeps a process alive that long, also where there is no connection to end
    disconnectTimeout: 300,
    ...options,
  })
}

const GOODBYE_MS = 1_000

/** After what was said before has arrived; it may have nobody to arrive at. */
export async function hangUp(redis: Redis): Promise<void> {
  const said = new AbortController()
  const goodbye = redis.status === 'ready' ? redis.quit() : Promise.resolve()
  goodbye.then(
    () => said.abort(),
    () => said.abort(),
  )
  await pause(GOODBYE_MS, said.signal)
  redis.disconnect()
}
