import { describe, expect, test } from 'vitest'
import { openConsole } from '../../../test/support/console-client.ts'
import type { ConsoleClient } from '../../../test/support/console-client.ts'
import { answers, calls, hang, says } from '../../../test/support/fake-answers.ts'
import type { ChatBody } from '../../../test/support/fake-answers.ts'
import { deltaText, eventNames, frameOf } from '../../../test/support/sse-frames.ts'
import { useTestApp } from '../../../test/support/test-app.ts'
import type { Json } from '../../../test/support/test-app.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'

async function makeDraft(console: ConsoleClient, draft: Record<string, unknown> = {}): Promise<Json> {
  const agent = await console.make('agents', { name: 'Draft' })
  return console.save(`agents/${agent.id}/draft`, { draft: { ...agent.draft, model: 'scripted', ...draft }, revision: agent.revision })
}

const streamOf = (agentId: string, { chat_id, conversation_id }: Json, after = 0) =>
  `agents/${agentId}/preview/stream?conversation_id=${conversation_id}&chat_id=${chat_id}&starting_after=${after}`

const promptIn = ({ messages: [first] }: ChatBody): string => (typeof first?.content === 'string' ? first.content : '')

describe.each(testDatabases())('the preview of an agent on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('chats with the draft as it is, published or not, and goes on', async () => {
    app.provider.script = ({ body }) => says(promptIn(body), ' ', String(body.messages.length))
    const ada = await openConsole(app)
    const agent = await makeDraft(ada, { prompt: 'of {{city}}', variables: [{ name: 'city', default: 'Rome' }] })
    const first = await ada.make(`agents/${agent.id}/preview`, { query: 'hi' })
    const frames = await ada.stream(streamOf(agent.id, first))
    expect(deltaText(frames)).toBe('of Rome 2')
    expect(eventNames(frames).at(-1)).toBe('done')
    expect(frames[0]?.id).toBe('1')

    await ada.save(`agents/${agent.id}/draft`, { draft: { ...agent.draft, prompt: 'changed, of {{city}}' }, revision: agent.revision })
    const second = await ada.make(`agents/${agent.id}/preview`, {
      ...{ query: 'and?', conversation_id: first.conversation_id, variables: { city: 'Oslo' } },
    })
    expect(second.conversation_id).toBe(first.conversation_id)
    expect(deltaText(await ada.stream(streamOf(agent.id, second)))).toBe('changed, of Oslo 4')
    expect(await app.call('POST', '/v3/chat', { bot_id: agent.id, query: 'hi' })).toMatchObject({ status: 404 })
  })

  test('a stream that was cut goes on where it was', async () => {
    app.provider.script = says('one ', 'two ', 'three')
    const ada = await openConsole(app)
    const agent = await makeDraft(ada)
    const chat = await ada.make(`agents/${agent.id}/preview`, { query: 'hi' })
    const frames = await ada.stream(streamOf(agent.id, chat))
    const cut = frames.findIndex((frame) => frame.data.content === 'one ')

    const rest = await ada.stream(streamOf(agent.id, chat, Number(frames[cut]?.id)))
    expect(rest).toEqual(frames.slice(cut + 1))
    expect(await ada.stream(streamOf(agent.id, chat), { 'last-event-id': frames[cut]?.id ?? '' })).toEqual(rest)
  })

  test('is a test: not in the lists of the API, not in what end users have said, no call, no webhook', async () => {
    app.provider.script = says('a test')
    const ada = await openConsole(app)
    const agent = await makeDraft(ada, { webhook_url: 'https://example.com/hook' })
    const live = await app.call('GET', `/v1/conversations?bot_id=${agent.id}`)
    const chat = await ada.make(`agents/${agent.id}/preview`, { query: 'hi' })
    await ada.stream(streamOf(agent.id, chat))

    expect((await app.call('GET', `/v1/conversations?bot_id=${agent.id}`)).body.data).toEqual(live.body.data)
    expect((await ada.read(`conversations?agent_id=${agent.id}`)).items).toEqual([])
    expect((await ada.read(`conversations?agent_id=${agent.id}&kind=test`)).items).toMatchObject([{ id: chat.conversation_id }])
    expect((await ada.read(`conversations/${chat.conversation_id}/messages`)).items).toMatchObject([
      { content: 'hi' },
      { content: 'a test' },
    ])
    expect((await ada.read('agents')).items[0]).toMatchObject({ id: agent.id, last_call_at: null })
    expect(
      (await ada.read(`usage?from=0&to=${Date.now()}&agent_id=${agent.id}`.replace('from=0', `from=${Date.now() - 3_600_000}`))).total
        .calls,
    ).toBe(0)
    expect(await app.core.db.selectFrom('webhook_delivery').select('id').where('owner_id', '=', app.userId).execute()).toEqual([])
  })

  test('functions that the caller executes are answered by the builder', async () => {
    app.provider.script = [answers([calls('clock', { zone: 'UTC' }, 'call_1')]), says('it is ten')]
    const ada = await openConsole(app)
    const agent = await makeDraft(ada, { tools: [{ type: 'function', name: 'clock' }] })
    const chat = await ada.make(`agents/${agent.id}/preview`, { query: 'time?' })
    const frames = await ada.stream(streamOf(agent.id, chat))
    expect(frameOf(frames, 'conversation.chat.requires_action').data.required_action.submit_tool_outputs.tool_calls).toHaveLength(1)

    const outputs = { ...chat, tool_outputs: [{ tool_call_id: 'call_1', output: '10:00' }] }
    const going = await ada.make(`agents/${agent.id}/preview/tool-outputs`, outputs)
    expect(deltaText(await ada.stream(streamOf(agent.id, going, going.cursor)))).toBe('it is ten')
    expect(await ada.post(`agents/${agent.id}/preview/tool-outputs`, outputs)).toMatchObject({ status: 409 })
  })

  test('can be stopped', async () => {
    app.provider.script = answers(['so far', hang()])
    const ada = await openConsole(app)
    const agent = await makeDraft(ada)
    const chat = await ada.make(`agents/${agent.id}/preview`, { query: 'hi' })
    await app.provider.untilRequests(1)
    await ada.make(`agents/${agent.id}/preview/cancel`, chat)
    expect(eventNames(await ada.stream(streamOf(agent.id, chat)))).toContain('conversation.chat.canceled')
  })

  test('what goes wrong is said, in the request or in the stream', async () => {
    const ada = await openConsole(app)
    const agent = await makeDraft(ada, { model: 'not-there' })
    const chat = await ada.make(`agents/${agent.id}/preview`, { query: 'hi' })
    expect(frameOf(await ada.stream(streamOf(agent.id, chat)), 'conversation.chat.failed').data.last_error.msg).toContain('not-there')

    expect(await ada.post(`agents/${agent.id}/preview`, { query: '' })).toMatchObject({ status: 422 })
    expect(await ada.post(`agents/${agent.id}/preview`, { query: 'hi', conversation_id: '5' })).toMatchObject({ status: 404 })
    const real = (await app.call('POST', '/v3/chat', { bot_id: app.botId, query: 'hi' })).body
    expect(await ada.post(`agents/${app.botId}/preview`, { query: 'hi', conversation_id: real.conversation_id })).toMatchObject({
      status: 404,
    })
    expect(await ada.get(streamOf(app.botId, { chat_id: real.data.id, conversation_id: real.conversation_id }))).toMatchObject({
      status: 404,
    })
  })
})
