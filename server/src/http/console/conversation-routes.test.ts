import { describe, expect, test } from 'vitest'
import { openConsole } from '../../../test/support/console-client.ts'
import { answers, calls, fails, says } from '../../../test/support/fake-answers.ts'
import { useTestApp } from '../../../test/support/test-app.ts'
import type { Json, TestUser } from '../../../test/support/test-app.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'

describe.each(testDatabases())('conversations in the console on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const chat = async (who: TestUser, botId: string, body: object = {}): Promise<Json> =>
    (await app.call('POST', '/v3/chat', { bot_id: botId, query: 'hi', ...body }, { apiKey: who.apiKey })).body

  test('are found by agent, by end user and by what they are called', async () => {
    const builder = await app.makeUser()
    const bob = await openConsole(app, builder.email)
    const one = await app.makeBot(builder.userId, { profile: { name: 'One' } })
    const two = await app.makeBot(builder.userId, { profile: { name: 'Two' } })
    const first = await chat(builder, one, { user_id: 'ada' })
    await chat(builder, one, { user_id: 'Adam' })
    const own = await chat(builder, two, { conversation_id: 'order-77' })
    await chat(builder, two, { user_id: '100%' })
    const found = async (query: string) => {
      const { items, total } = await bob.read(`conversations?${query}`)
      return [items.map((item: Json) => item.end_user || item.external_id), total]
    }

    expect(await found('')).toEqual([['100%', 'order-77', 'Adam', 'ada'], 4])
    expect(await found('size=1&page=2')).toEqual([['order-77'], 4])
    expect(await found(`agent_id=${one}`)).toEqual([['Adam', 'ada'], 2])
    expect(await found('end_user=ada')).toEqual([['ada'], 1])
    expect(await found(`end_user=ada&agent_id=${one}`)).toEqual([['ada'], 1])
    expect(await found(`end_user=ada&agent_id=${two}`)).toEqual([[], 0])
    expect(await found('search=ADA')).toEqual([['Adam', 'ada'], 2])
    expect(await found('search=%25')).toEqual([['100%'], 1])
    expect(await found('search=order-7')).toEqual([['order-77'], 1])
    expect(await found(`search=${first.conversation_id}`)).toEqual([['ada'], 1])
    expect(await bob.read(`conversations/${own.conversation_id}`)).toMatchObject({
      external_id: 'order-77',
      agent_id: two,
      agent_name: 'Two',
      is_busy: false,
    })

    const users = await bob.read('end-users')
    expect(users).toMatchObject({ items: [{ end_user: '100%', conversations: 1 }, { end_user: 'Adam' }, { end_user: 'ada' }], total: 3 })
    expect((await bob.read(`end-users?agent_id=${one}&search=am&size=1`)).items).toMatchObject([{ end_user: 'Adam' }])
    await app.call('DELETE', `/v1/conversations/${first.conversation_id}`, undefined, { apiKey: builder.apiKey })
    expect((await found(''))[1]).toBe(3)
    expect(await bob.get(`conversations/${first.conversation_id}`)).toMatchObject({ status: 404 })
  })

  test('messages come with tool calls, opinions, and the usage and errors of their chats', async () => {
    const builder = await app.makeUser()
    const bob = await openConsole(app, builder.email)
    const botId = await app.makeBot(builder.userId, { config: { tools: [{ type: 'function', name: 'clock' }] } })
    app.provider.script = [answers([calls('clock', { zone: 'UTC' }, 'call_1')]), says('it is ten'), fails(400, { message: 'no more' })]
    const first = await chat(builder, botId, { user_id: 'ada', query: 'time?' })
    const at = `conversation_id=${first.conversation_id}&chat_id=${first.data.id}`
    const outputs = { tool_outputs: [{ tool_call_id: 'call_1', output: '10:00' }] }
    await app.call('POST', `/v3/chat/submit_tool_outputs?${at}`, outputs, { apiKey: builder.apiKey })
    const path = `conversations/${first.conversation_id}`
    await expect.poll(async () => (await bob.read(`${path}/messages`)).chats[0].status).toBe('completed')
    await chat(builder, botId, { user_id: 'ada', query: 'again', conversation_id: first.conversation_id })
    const before = await bob.read(`${path}/messages`)
    const answer = before.items.find((message: Json) => message.type === 'answer')
    const opinion = { feedback_type: 'unlike', comment: 'too late' }
    await app.call('POST', `/v1/conversations/${first.conversation_id}/messages/${answer.id}/feedback`, opinion, { apiKey: builder.apiKey })

    const { items, chats, total } = await bob.read(`${path}/messages`)
    expect(items.map((message: Json) => [message.type, message.role])).toEqual([
      ['question', 'user'],
      ['function_call', 'assistant'],
      ['answer', 'assistant'],
      ['question', 'user'],
    ])
    expect(JSON.parse(items[1].content)).toEqual({ id: 'call_1', name: 'clock', arguments: { zone: 'UTC' } })
    expect(items[2]).toMatchObject({ content: 'it is ten', feedback: { type: 'unlike', comment: 'too late' }, chat_id: first.data.id })
    expect(total).toBe(4)
    const [done, failed] = chats.toSorted((a: Json, b: Json) => a.created_at - b.created_at)
    expect(done).toMatchObject({
      kind: 'agent',
      status: 'completed',
      error: null,
      key_id: builder.keyId,
      first_token_ms: expect.any(Number),
    })
    expect(done.usage.output_tokens).toBeGreaterThan(0)
    expect(failed).toMatchObject({
      status: 'failed',
      error: { code: 'rejected', message: expect.stringContaining('no more') },
      first_token_ms: null,
    })
    expect((await bob.read(`${path}/messages?order=desc&size=2`)).items.map((message: Json) => message.id)).toEqual([
      items[3].id,
      items[2].id,
    ])
    expect((await bob.read(`${path}/messages?size=3&page=2`)).items).toEqual([items[3]])
  })

  test('the export has all of a conversation, page after page', async () => {
    const builder = await app.makeUser()
    const bob = await openConsole(app, builder.email)
    const botId = await app.makeBot(builder.userId)
    const { conversation_id: id } = await chat(builder, botId, { query: '"quoted" \u2028 你好' })
    const { section_id, bot_id } = await app.core.db
      .selectFrom('message')
      .selectAll()
      .where('conversation_id', '=', id)
      .executeTakeFirstOrThrow()
    const shared = {
      conversation_id: id,
      section_id: String(section_id),
      bot_id: String(bot_id),
      role: 'user' as const,
      type: 'question' as const,
    }
    const rest = { content_type: 'text' as const, reasoning: '', meta_data: '{}', created_at: 1, updated_at: 1 }
    const rows = Array.from({ length: 1_200 }, (_, n) => ({ ...shared, ...rest, id: app.core.nextId(), content: `more ${n}` }))
    for (let at = 0; at < rows.length; at += 200)
      await app.core.db
        .insertInto('message')
        .values(rows.slice(at, at + 200))
        .execute()

    const { headers, text } = await bob.get(`conversations/${id}/export`)
    expect(headers.get('content-disposition')).toContain(`conversation-${id}.json`)
    const exported = JSON.parse(text)
    expect(exported.conversation).toMatchObject({ id, agent_id: botId })
    expect(exported.messages).toHaveLength(1_202)
    expect(exported.messages[0].content).toBe('"quoted" \u2028 你好')
    expect(exported.messages.at(-1).content).toBe('more 1199')
    expect(exported.chats).toHaveLength(1)
  })
})
