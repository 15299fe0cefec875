import { once } from 'node:events'
import { Redis } from 'ioredis'
import { AppError } from '../lib/app-error.ts'
import { repeat } from '../lib/background.ts'
import { LEASE_MS, RENEW_EVERY_MS, WINDOW_MS } from './limits.ts'
import type { Limits, Taken } from './limits.ts'
import { createOutageReport } from './outage-report.ts'

const CONNECT_MS = 2_000
const PREFIX = 'coze-plus:limits:'

/** The time is Redis's own: processes need not agree on theirs. Each script is one step for everybody. */
const NOW = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`

const TAKE = `${NOW}
local window = tostring(math.floor(now / ${WINDOW_MS}))
local used = 0
if redis.call('HGET', KEYS[1], 'window') == window then used = tonumber(redis.call('HGET', KEYS[1], 'used')) end
local taken = 0
if used < tonumber(ARGV[1]) then
  taken = 1
  used = used + 1
  redis.call('HSET', KEYS[1], 'window', window, 'used', used)
  redis.call('PEXPIRE', KEYS[1], ${WINDOW_MS})
end
return {taken, used, ${WINDOW_MS} - now % ${WINDOW_MS}}`

/** A limit below 0 is none. */
const HOLD = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local limit = tonumber(ARGV[2])
if limit >= 0 and not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= limit then return 0 end
redis.call('ZADD', KEYS[1], now + ${LEASE_MS}, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ${LEASE_MS})
return 1`

/** As long as it is there. */
const KEEP = `${NOW}
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ${LEASE_MS}, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ${LEASE_MS})
return 1`

/** Not `isOwn`: another process will release it. */
type Held = { name: string; holder: string; isOwn: boolean }

const NO_LIMIT = -1

/** Counters in Redis, shared by all processes. What a process holds it renews; what a dead one held is free after LEASE_MS. */
export async function createRedisLimits(redisUrl: string, onError: (cause: unknown) => void): Promise<Limits> {
  const report = createOutageReport(onError, 'calls with limited API keys are refused')
  const redis = connect(redisUrl)
  redis.on('error', report)
  // a Redis that is away does not keep the server from starting
  await once(redis, 'ready', { signal: AbortSignal.timeout(CONNECT_MS) }).catch(() => undefined)
  const held = new Map<string, Held>()
  const renewing = repeat(RENEW_EVERY_MS, renew, report)

  const windowKey = (name: string) => `${PREFIX}window:${name}`
  const slotsKey = (name: string) => `${PREFIX}slots:${name}`
  const heldKey = (name: string, holder: string) => `${name} ${holder}`

  async function hold(name: string, holder: string, limit: number): Promise<boolean> {
    const isHeld = (await redis.eval(HOLD, 1, slotsKey(name), holder, limit)) === 1
    if (isHeld) held.set(heldKey(name, holder), { name, holder, isOwn: true })
    return isHeld
  }

  /** What was released while it was being renewed stays released. */
  async function renew(): Promise<void> {
    for (const [key, { name, holder, isOwn }] of held) {
      const isHeld = await redis.eval(isOwn ? HOLD : KEEP, 1, slotsKey(name), holder, NO_LIMIT)
      if (!held.has(key)) await redis.zrem(slotsKey(name), holder)
      else if (isHeld !== 1) held.delete(key)
    }
  }

  return {
    take: (name, limit) => counting(async () => toTaken(await redis.eval(TAKE, 1, windowKey(name), limit), limit), report),
    acquire: (name, holder, limit) => counting(() => hold(name, holder, limit), report),
    async adopt(name, holder) {
      held.set(heldKey(name, holder), { name, holder, isOwn: true })
      await hold(name, holder, NO_LIMIT).catch(report)
    },
    handOver(name, holder) {
      held.set(heldKey(name, holder), { name, holder, isOwn: false })
    },
    async release(name, holder) {
      held.delete(heldKey(name, holder))
      await redis.zrem(slotsKey(name), holder).catch(report)
    },
    async close() {
      await renewing.stop()
      redis.disconnect()
    },
  }
}

function connect(redisUrl: string): Redis {
  return new Redis(redisUrl, {
    // a call that cannot be counted now is refused now
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 2_000,
    connectTimeout: 3_000,
    retryStrategy: (attempt) => Math.min(attempt * 200, 2_000),
    // a connection that is dead and does not know it: something is sent every few seconds where anything is held
    keepAlive: 5_000,
    disconnectTimeout: 300,
  })
}

async function counting<T>(work: () => Promise<T>, report: (cause: unknown) => void): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    report(cause)
    throw new AppError(
      'unavailable',
      'the limits of this api key cannot be counted now, because Redis cannot be reached: try again shortly',
      {
        cause,
      },
    )
  }
}

function toTaken(reply: unknown, limit: number): Taken {
  const [taken, used, resetMs] = Array.isArray(reply) ? reply.map(Number) : []
  if (taken === undefined || used === undefined || resetMs === undefined)
    throw new Error('Redis has answered something else than was asked')
  return { isTaken: taken === 1, remaining: Math.max(0, limit - used), resetMs }
}
