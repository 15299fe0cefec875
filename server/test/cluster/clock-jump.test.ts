import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { openCore } from '../../src/core.ts'
import { answers, wait } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { chatPath, openChat } from '../support/resumed-stream.ts'
import { deltaText, eventNames } from '../support/sse-frames.ts'
import { startTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const HOUR = 3_600_000

/** Another server on the same data that goes by a clock of its own. */
async function startNodeWithClock({ core: { config } }: TestApp, time: { aheadMs: number }) {
  const core = await openCore(
    { ...config, port: await freePort() },
    { logger: pino({ level: 'silent' }), clock: () => Date.now() + time.aheadMs },
  )
  const app = await createApp(core)
  await app.http.listen({ host: '127.0.0.1', port: core.config.port })
  return {
    url: `http://127.0.0.1:${core.config.port}`,
    nextId: core.nextId,
    async [Symbol.asyncDispose]() {
      await app.close()
      await core.close()
    },
  }
}

describe.each(testDatabases())('a node whose clock jumps, on $name', ({ name }) => {
  test.each([
    ['a day ahead', 24 * HOUR],
    ['two hours back', -2 * HOUR],
  ])('%s harms no run of the others, and its ids stay unique', { timeout: 50_000 }, async (...[, aheadMs]) => {
    await using app = await startTestApp({ database: name })
    const time = { aheadMs: 0 }
    await using other = await startNodeWithClock(app, time)
    app.provider.script = answers(['one ', wait(6_000), 'two'])
    await using here = await openChat(app, 'guide')
    await here.until((frames) => deltaText(frames) !== '')
    const before = Array.from({ length: 200 }, () => other.nextId())
    time.aheadMs = aheadMs
    await using there = await openChat({ url: other.url, apiKey: app.apiKey }, 'guide')

    for (const stream of [here, there]) {
      const frames = await stream.ended
      expect([deltaText(frames), eventNames(frames).at(-2)]).toEqual(['one two', 'conversation.chat.completed'])
      const known = await app.call('GET', chatPath(frames[0]?.data, '/v3/chat/retrieve'))
      expect(known.body.data.status).toBe('completed')
    }
    time.aheadMs = 0
    const after = Array.from({ length: 200 }, () => other.nextId())
    expect(new Set([...before, ...after]).size).toBe(400)
    expect(after.every((id) => BigInt(id) > BigInt(before.at(-1) ?? 0))).toBe(true)
  })
})
