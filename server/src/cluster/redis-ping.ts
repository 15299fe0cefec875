/** Asks a Redis whether it is there, on a connection of its own. Rejects when it is not. */
export async function pingRedis(redisUrl: string): Promise<{ kind: 'Redis'; version: string }> {
  const { Redis } = await import('ioredis')
  const redis = new Redis(redisUrl, { lazyConnect: true, connectTimeout: 3_000, maxRetriesPerRequest: 0, retryStrategy: () => null })
  // the call below rejects with it too
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    const info = await redis.info('server')
    return { kind: 'Redis', version: /^redis_version:(\S+)/m.exec(info)?.[1] ?? '' }
  } finally {
    redis.disconnect()
  }
}
