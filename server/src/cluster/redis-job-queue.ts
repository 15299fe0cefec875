import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Queue, WaitingError, Worker } from 'bullmq'
import type { Job } from 'bullmq'
import { pause } from '../lib/background.ts'
import type { JobQueue, JobQueueOptions } from './job-queue.ts'
import { createJobSlots } from './job-slots.ts'
import type { JobSlots } from './job-slots.ts'
import { createOutageReport } from './outage-report.ts'
import { connectRedis, hangUp } from './redis-connection.ts'

/**
 * A queue in Redis, kept by BullMQ: every process adds to it, and whichever has room takes the next job. While Redis is away a process
 * handles itself what is added to it; when Redis is back jobs are shared again, without anybody's help.
 */
export async function createRedisJobQueue(redisUrl: string, { name, atOnce, onError }: JobQueueOptions): Promise<JobQueue> {
  const slots = createJobSlots({ atOnce, onError })
  const closing = new AbortController()
  const report = createOutageReport(onError, 'this server keeps its jobs to itself')
  // a connection that is dead and does not know it; longer than a worker waits for a job
  const redis = connectRedis(redisUrl, { socketTimeout: 15_000 })
  const shared = { connection: redis, prefix: 'coze-plus', skipVersionCheck: true }
  const queue = new Queue<JobData>(name, shared)
  for (const emitter of [redis, queue]) emitter.on('error', report)
  let worker: Worker<JobData> | undefined
  let closed: Promise<void> | undefined
  // what is added first is shared too; a Redis that is away does not keep the server from starting
  await once(redis, 'ready', { signal: AbortSignal.timeout(CONNECT_MS) }).catch(() => undefined)

  async function tell(id: string): Promise<boolean> {
    if (redis.status !== 'ready') return false
    try {
      // @NOTE BullMQ takes no number for an id; without the last two options a job that is done would keep its id from being added
      await queue.add('job', { id }, { jobId: `job-${id}`, removeOnComplete: true, removeOnFail: true })
      return true
    } catch (cause) {
      report(cause)
      return false
    }
  }

  async function close(): Promise<void> {
    closing.abort()
    await worker?.pause(true)
    await slots.close()
    // what has just been handled is still to be told
    await setImmediate()
    // @NOTE not without force: that waits for a Redis that is away, however long
    await worker?.close(true)
    await queue.close()
    await hangUp(redis)
  }

  return {
    add: (id) => void tell(id).then((isTold) => isTold || slots.take(id)),
    start(handle) {
      slots.start(handle)
      worker = new Worker<JobData>(name, (job, token) => perform(slots, job, token), { ...shared, ...TIMES, concurrency: atOnce })
      giveRest(worker, { report, signal: closing.signal })
    },
    close: () => (closed ??= close()),
  }
}

type JobData = { id: string }

const CONNECT_MS = 2_000

/** What a dead process has taken is somebody else's as soon as what it executed is. */
const TIMES = { lockDuration: 15_000, stalledInterval: 5_000, runRetryDelay: 1_000 }

/** What a closing process has been given goes back: others are there. */
async function perform(slots: JobSlots, job: Job<JobData>, token: string | undefined): Promise<void> {
  if (await slots.take(job.data.id)) return
  await job.moveToWait(token)
  throw new WaitingError()
}

const REST_MS = 1_000

/** Where Redis answers and refuses, being full for example, BullMQ asks again at once, ten thousand times a second. */
function giveRest(worker: Worker, { report, signal }: { report: (cause: unknown) => void; signal: AbortSignal }): void {
  worker.on('error', (cause) => {
    report(cause)
    if (cause.name === 'ReplyError' && !worker.isPaused()) void rest()
  })

  async function rest(): Promise<void> {
    await worker.pause(true)
    await pause(REST_MS, signal)
    if (!signal.aborted) await worker.resume()
  }
}
