import type { ClusterBus } from './cluster-bus.ts'
import { createMemoryBus } from './memory-bus.ts'

/** Heard by all processes that have the same Redis; without one only by this process. */
export async function openBus(redisUrl: string | undefined, onError: (cause: unknown) => void): Promise<ClusterBus> {
  if (redisUrl === undefined) return createMemoryBus(onError)

  const { createRedisBus } = await import('./redis-bus.ts')
  return createRedisBus(redisUrl, onError)
}
