import type { JobQueue, JobQueueOptions } from './job-queue.ts'
import { createMemoryJobQueue } from './memory-job-queue.ts'

/** Shared by all processes that have the same Redis; without one it is this process's own. */
export async function openJobQueue(redisUrl: string | undefined, options: JobQueueOptions): Promise<JobQueue> {
  if (redisUrl === undefined) return createMemoryJobQueue(options)

  // loading it takes 200 ms and 50 MB: only who has Redis pays for it
  const { createRedisJobQueue } = await import('./redis-job-queue.ts')
  return createRedisJobQueue(redisUrl, options)
}
