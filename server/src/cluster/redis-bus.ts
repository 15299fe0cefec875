import { once } from 'node:events'
import { repeat } from '../lib/background.ts'
import { createBusListeners } from './bus-listeners.ts'
import type { ClusterBus } from './cluster-bus.ts'
import { createOutageReport } from './outage-report.ts'
import { connectRedis, hangUp } from './redis-connection.ts'

const CONNECT_MS = 2_000
/** A connection that is dead and does not know it is found out by a question that nobody answers. */
const ASK_EVERY_MS = 5_000
const SILENCE_MS = 12_000

/** Said and heard over Redis's pub/sub. While Redis is away a process hears only itself; when it is back all hear all again. */
export async function createRedisBus(redisUrl: string, onError: (cause: unknown) => void): Promise<ClusterBus> {
  const tell = createOutageReport(onError, 'this server looks into the database for what others would have told it')
  let closed: Promise<void> | undefined
  const report = (cause: unknown) => void (closed === undefined && tell(cause))
  const listeners = createBusListeners(onError)
  // a message that cannot be said now is worth nothing later
  const mouth = connectRedis(redisUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 0, socketTimeout: SILENCE_MS })
  const ear = connectRedis(redisUrl, { autoResubscribe: true, socketTimeout: SILENCE_MS })
  for (const redis of [mouth, ear]) redis.on('error', report)

  // @NOTE its pub/sub is one for all databases of a Redis: installations are told apart by the name
  const prefix = `coze-plus:${mouth.options.db ?? 0}:`
  ear.on('message', (name: string, message: string) => listeners.hear(name.slice(prefix.length), message))
  const channels = new Set<string>()
  await Promise.all([mouth, ear].map((redis) => once(redis, 'ready', { signal: AbortSignal.timeout(CONNECT_MS) }).catch(() => undefined)))
  const asking = repeat(ASK_EVERY_MS, async () => void (await Promise.all([mouth, ear].map((redis) => redis.ping()))), report)

  const isShared = () => mouth.status === 'ready' && ear.status === 'ready'

  async function close(): Promise<void> {
    listeners.clear()
    await Promise.all([hangUp(mouth), hangUp(ear)])
    await asking.stop()
  }

  return {
    get isShared() {
      return isShared()
    },
    publish(channel, message) {
      // @NOTE heard back from Redis where both connections are up; else said here, or it would not be heard even by this process
      if (!isShared()) queueMicrotask(() => listeners.hear(channel, message))
      if (mouth.status === 'ready') mouth.publish(prefix + channel, message).catch(report)
    },
    subscribe(channel, listener) {
      const listening = listeners.add(channel, listener)
      if (!channels.has(channel)) {
        channels.add(channel)
        ear.subscribe(prefix + channel).catch(report)
      }
      return listening
    },
    close: () => (closed ??= close()),
  }
}
