import { expect, test } from 'vitest'
import { answers, wait } from '../test/support/fake-provider.ts'
import { startTestApp } from '../test/support/test-app.ts'
import { startMariadb, testDatabases } from '../test/support/test-databases.ts'

test.skipIf(testDatabases().length === 1)('a server that is told to stop while its database is away stops all the same', async () => {
  await using database = await startMariadb()
  const script = answers(['so far', wait(1_000), 'the end'])
  await using app = await startTestApp({ script, env: { DATABASE_URL: database.url(), DRAIN_SECONDS: '1' } })
  const asking = app.call('POST', '/v3/chat', { bot_id: app.botId, stream: true, query: 'hi' }).catch(() => undefined)
  await app.provider.untilRequests(1)
  await database.kill()
  const startedAt = performance.now()
  await app.stop()
  await asking

  expect(performance.now() - startedAt).toBeLessThan(10_000)
})
