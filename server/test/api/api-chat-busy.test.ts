import { describe, expect, test } from 'vitest'
import { answers, hang, says, wait } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream } from '../support/live-stream.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const GOOD = { bot_id: 123456, query: 'hi' }
const BUSY = { status: 409, code: 4016, message: /^a chat is already running in this conversation/ }

describe.each(testDatabases())('two chats in one conversation, on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  runsOneAtATime(app)
  keepsItsSecrets(app)
})

const post = (app: TestApp, body: unknown) => app.call('POST', '/v3/chat', body)

function runsOneAtATime(app: TestApp): void {
  test('the second is refused with 409 and 4016; after the first there is room again', async () => {
    const { conversation_id } = (await post(app, GOOD)).body
    app.provider.script = [answers(['one', hang()]), says('after')]
    await using first = await openStream(app, { ...GOOD, conversation_id, stream: true })
    const frames = await first.until((each) => each.length >= 3)

    for (const body of [GOOD, { ...GOOD, stream: true }, { bot_id: 123456, additional_messages: [{ role: 'user', content: 'hi' }] }]) {
      expectRefusal(await post(app, { ...body, conversation_id }), BUSY)
    }
    await app.call('POST', '/v3/chat/cancel', { conversation_id, chat_id: frames[0]?.data.id })
    await first.ended
    expect((await post(app, { ...GOOD, conversation_id })).body.message.content).toBe('after')
  })

  test.each(['of a known conversation', 'that all make it'])('of 20 at once %s exactly one runs', async (how) => {
    const conversation_id = how === 'that all make it' ? `race-${how.length}` : (await post(app, GOOD)).body.conversation_id
    app.provider.requests.length = 0
    const gate = Promise.withResolvers<undefined>()
    app.provider.script = { play: (exchange) => gate.promise.then(() => says('the one').play(exchange)) }

    const refused: Reply[] = []
    const calls = Array.from({ length: 20 }, async (_, i) => {
      const reply = await post(app, { ...GOOD, conversation_id, query: `q${i}` })
      if (reply.status !== 200) refused.push(reply)
      return reply
    })
    await expect.poll(() => refused.length, { timeout: 10_000 }).toBe(19)
    for (const reply of refused) expectRefusal(reply, BUSY)
    gate.resolve(undefined)

    const won = (await Promise.all(calls)).filter((reply) => reply.status === 200)
    expect(won.map((reply) => reply.body.message.content)).toEqual(['the one'])
    expect(app.provider.requests.length).toBe(1)

    const { body } = await app.call('POST', `/v1/conversation/message/list?conversation_id=${conversation_id}`, { limit: 2 })
    expect(body.data.map((message: Json) => message.content)).toEqual(['the one', app.provider.lastRequest.lastUserText])
  })

  test('chats of different conversations do not wait for each other, and do not mix', async () => {
    app.provider.script = (request) => answers([request.lastUserText, wait(100), request.lastUserText])
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => post(app, { ...GOOD, query: `q${i} ` })))
    expect(replies.map((reply) => reply.body.message.content)).toEqual(replies.map((_, i) => `q${i} q${i} `))
  })
}
