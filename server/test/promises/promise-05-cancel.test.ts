import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { answers, calls, hang, saysForever } from '../support/fake-provider.ts'
import { chatPath, openChat, resumeChat, STYLES } from '../support/resumed-stream.ts'
import type { LiveStream } from '../support/live-stream.ts'
import { deltaText, eventNames } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** Promise 5: cancel is final. More of it in api-chat-clients.test.ts. */
describe.each(testDatabases())('a chat that is canceled, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test.each(STYLES)('%s-style: no token follows, the model’s connection is closed, what came is kept', async (style) => {
    app.provider.script = saysForever('word ', { delayMs: 2 })
    const streams = await Promise.all(Array.from({ length: 10 }, () => openChat(app, style)))
    await Promise.all(streams.map((stream, at) => stream.until((frames) => deltaText(frames).length > 20 * at)))
    const readers = await Promise.all(streams.map((stream) => resumeChat(app, stream.frames[0]?.data, { style, cursor: 1 })))
    for (const { status, body } of await Promise.all(streams.map((stream) => cancel(app, stream)))) {
      expect({ status, state: body.data?.status }).toEqual({ status: 200, state: 'canceled' })
    }

    await app.provider.untilAborted(app.provider.requests.length)
    const written = app.provider.tokensWritten
    for (const [at, stream] of streams.entries()) {
      const frames = await stream.ended
      expect(eventNames(frames).slice(-3)).toEqual(['conversation.message.completed', 'conversation.chat.canceled', 'done'])
      expect(eventNames((await readers[at]?.ended) ?? []).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])
      const [answer] = await messagesOf(app, frames[0]?.data)
      expect(answer).toMatchObject({ content: deltaText(frames), meta_data: { incomplete: 'canceled' } })
    }
    await sleep(100)
    expect(app.provider.tokensWritten).toBe(written)
    expect(app.provider.open).toBe(0)
  })

  test('stays canceled, also when it is read again', async () => {
    app.provider.script = answers(['so far', hang()])
    await using stream = await openChat(app, 'guide')
    await stream.until((frames) => deltaText(frames) === 'so far')
    await cancel(app, stream)
    await stream.ended
    const chat = stream.frames[0]?.data
    for (let look = 0; look < 5; look++) {
      expect((await app.call('GET', chatPath(chat, '/v3/chat/retrieve'))).body.data.status).toBe('canceled')
      await using again = await resumeChat(app, chat, { style: 'guide', cursor: 0 })
      await again.ended
      expect(again.text).toBe(stream.text)
      await sleep(20)
    }
  })

  test('takes no tool outputs any more', async () => {
    app.provider.script = [answers([calls('clock', {}, 'call_1')]), answers(['so far', hang()])]
    await using stream = await openChat(app, 'sdk', { tools: [{ type: 'function', function: { name: 'clock' } }] })
    const chat = (await stream.ended)[0]?.data
    const path = chatPath(chat, '/v3/chat/submit_tool_outputs')
    const outputs = { tool_outputs: [{ tool_call_id: 'call_1', output: 'ten' }] }
    expect((await app.call('POST', path, outputs)).status).toBe(200)
    await app.provider.untilRequests(2)
    expect((await cancel(app, stream)).body.data.status).toBe('canceled')
    expect((await app.call('POST', path, outputs)).status).toBe(409)
    await app.provider.untilAborted()
  })
})

function cancel(app: TestApp, { frames }: LiveStream): Promise<Reply> {
  const chat = frames[0]?.data
  return app.call('POST', '/v3/chat/cancel', { conversation_id: chat.conversation_id, chat_id: chat.id })
}

const messagesOf = async (app: TestApp, chat: Json): Promise<Json[]> =>
  (await app.call('GET', chatPath(chat, '/v3/chat/message/list'))).body.data
