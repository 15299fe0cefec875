import { performance } from 'node:perf_hooks'
import { pingRedis } from '../../cluster/redis-ping.ts'
import { describeDatabase } from '../../db/database.ts'
import type { Db } from '../../db/database.ts'
import { listLiveWorkers } from '../../db/worker-lease.ts'
import type { ObjectStore } from '../../files/object-store.ts'
import type { Status } from './status-wire.ts'

export type StatusServices = {
  db: Db
  objects: Pick<ObjectStore, 'check'>
  redisUrl: string | undefined
  version: string
  publicUrl: string
  countRuns: () => number
  countStreams: () => number
}

/** How the server and what it stands on are doing now. What does not answer in time is a problem, not an error. */
export async function readStatus(services: StatusServices): Promise<Status> {
  const { db, objects, redisUrl } = services
  const [database, storage, redis, nodes] = await Promise.all([
    look(() => describeDatabase(db), 'the database cannot be reached: check that it runs, and DATABASE_URL'),
    look(() => objects.check(), STORAGE_PROBLEM),
    redisUrl === undefined ? null : look(() => pingRedis(redisUrl), 'Redis cannot be reached: check that it runs, and REDIS_URL'),
    listLiveWorkers(db).catch(() => []),
  ])
  return {
    version: services.version,
    node_version: process.versions.node,
    started_at: Math.round(performance.timeOrigin),
    uptime_ms: Math.round(performance.now()),
    public_url: services.publicUrl,
    ...{ database, storage, redis },
    running_runs: services.countRuns(),
    open_streams: services.countStreams(),
    memory_bytes: process.memoryUsage.rss(),
    nodes: Math.max(1, nodes.length),
  }
}

const LOOK_MS = 5_000
const STORAGE_PROBLEM =
  'files cannot be stored: check that DATA_DIR can be written and has space left, or with S3_BUCKET that the bucket can be reached, and S3_*'

type Found = { kind?: string; version?: string; freeBytes?: number | undefined }

async function look(ask: () => Promise<Found>, problem: string): Promise<Status['storage']> {
  const startedAt = performance.now()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('no answer in time')), LOOK_MS)
  try {
    const { kind = '', version = '', freeBytes = null } = await Promise.race([ask(), late.promise])
    const latency = Math.round((performance.now() - startedAt) * 10) / 10
    return { kind, version, free_bytes: freeBytes, is_ok: true, problem: '', latency_ms: latency }
  } catch {
    return { kind: '', version: '', free_bytes: null, is_ok: false, problem, latency_ms: null }
  } finally {
    clearTimeout(timer)
  }
}
