import { describe, expect, test } from 'vitest'
import { answers, calls, says, wait } from '../support/fake-provider.ts'
import { openChat, chatPath, STYLES } from '../support/resumed-stream.ts'
import { openStream } from '../support/live-stream.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** Promise 4: a client that leaves does not end the run; its answer is in the conversation. More of it in api-chat-clients.test.ts. */

const TEXT = ['one ', 'two ', 'three ', 'four ']

describe.each(testDatabases())('clients that leave, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test.each(STYLES)('%s-style, 30 at once, after any number of events: every chat has its whole answer', async (style) => {
    app.provider.script = answers([wait(50), ...TEXT.flatMap((text) => [text, wait(30)])])
    const chats = await Promise.all(
      Array.from({ length: 30 }, async (_, at) => {
        await using stream = await openChat(app, style)
        const [created] = await stream.until((frames) => frames.length > at % 8)
        return created?.data
      }),
    )
    for (const chat of chats) {
      await expect.poll(() => statusOf(app, chat)).toBe('completed')
      expect(await contentsOf(app, chat)).toEqual(['hi', TEXT.join('')])
    }
    expect(app.provider.requests.filter((request) => request.aborted)).toEqual([])
  })

  test('all readers of one chat, one after another', async () => {
    app.provider.script = answers([wait(50), ...TEXT.flatMap((text) => [text, wait(40)])])
    await using first = await openChat(app, 'guide')
    const chat = (await first.until((frames) => frames.length > 0))[0]?.data
    first.leave()
    for (let at = 0; at < 5; at++) {
      await using again = await openStream(app, undefined, { path: chatPath(chat) })
      await again.until((frames) => frames.length > at)
    }
    await expect.poll(() => statusOf(app, chat)).toBe('completed')
    expect(await contentsOf(app, chat)).toEqual(['hi', TEXT.join('')])
  })

  test('while the bot’s answer is on its way to a function: the chat waits for its caller', async () => {
    app.provider.script = [answers(['Let me look. ', wait(100), calls('clock', {}, 'call_1')]), says('It is late')]
    await using stream = await openChat(app, 'sdk', { tools: [{ type: 'function', function: { name: 'clock' } }] })
    const chat = (await stream.until((frames) => frames.length >= 3))[0]?.data
    stream.leave()
    await expect.poll(() => statusOf(app, chat)).toBe('requires_action')

    const outputs = { tool_outputs: [{ tool_call_id: 'call_1', output: 'ten' }], stream: true }
    await using more = await openStream(app, outputs, { path: chatPath(chat, '/v3/chat/submit_tool_outputs') })
    more.leave()
    await expect.poll(() => statusOf(app, chat)).toBe('completed')
    expect(await contentsOf(app, chat)).toEqual(['hi', 'Let me look. ', 'It is late'])
  })
})

const statusOf = async (app: TestApp, chat: Json): Promise<string> =>
  (await app.call('GET', chatPath(chat, '/v3/chat/retrieve'))).body.data.status

async function contentsOf(app: TestApp, chat: Json): Promise<string[]> {
  const { body } = await app.call('POST', `/v1/conversation/message/list?conversation_id=${chat.conversation_id}`, { order: 'asc' })
  return body.data.map((message: Json) => message.content)
}
