import { CozeAPI, RoleType } from '@coze/api'
import { describe, expect, test } from 'vitest'
import { outputOf } from '../support/child-program.ts'
import { findCozepy } from '../support/find-cozepy.ts'
import { readStream } from '../support/live-stream.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { brackets, publish } from '../support/workflow-app.ts'

/** Promise 15: ids are exact in every JSON. These are the ones that a JavaScript number rounds. */
const IDS = ['7234567890123456789', '9223372036854775807', '9007199254740993', '1000000000000000001']

const python = await findCozepy()

describe.each(testDatabases())('ids of 19 digits, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test.each(IDS)('%s: as a number and as a string in JSON, in the path and in the query', async (id) => {
    await app.makeBot(app.userId, { id })
    for (const bot_id of [id, raw(id)]) {
      const { body } = await post(app, '/v3/chat', { bot_id, query: 'hi' })
      expect(body.data.bot_id).toBe(id)
      expect(body.message.bot_id).toBe(id)
      const conversation = (await post(app, '/v1/conversation/create', { bot_id })).body.data
      expect(conversation.bot_id).toBe(id)
    }
    expect((await app.call('GET', `/v1/bots/${id}`)).body.data.bot_id).toBe(id)
    expect((await app.call('GET', `/v1/bot/get_online_info?bot_id=${id}`)).body.data.bot_id).toBe(id)
    const listed = (await app.call('GET', `/v1/conversations?bot_id=${id}`)).body.data.conversations
    expect(listed.length).toBe(4)
    for (const each of listed) expect(each.bot_id).toBe(id)

    const frames = await readStream(app, { bot_id: id, query: 'hi', stream: true })
    for (const frame of frames.slice(0, -1)) expect(frame.data.bot_id).toBe(id)
  })

  test('a neighbour that rounds to the same number is another bot', async () => {
    const id = '8234567890123456789'
    await app.makeBot(app.userId, { id })
    for (const neighbour of ['8234567890123456788', '8234567890123456790', '8234567890123456800']) {
      expect(Number(neighbour)).toBe(Number(id))
      expect((await post(app, '/v3/chat', { bot_id: raw(neighbour), query: 'hi' })).status).toBe(404)
    }
    expect((await post(app, '/v3/chat', { bot_id: raw(id), query: 'hi' })).status).toBe(200)
  })

  test.each(IDS.slice(0, 2))('%s: of a workflow, as a number and as a string, in bodies, paths and queries', async (id) => {
    await publish(app, brackets(), { id })
    const parameters = JSON.stringify({ word: 'hi' })
    const seen: string[] = []
    for (const workflow_id of [JSON.stringify(id), id]) {
      const { body } = await app.call('POST', '/v1/workflow/run', `{"workflow_id":${workflow_id},"parameters":${parameters}}`)
      const { execute_id, debug_url } = body
      expect(debug_url).toContain(`/workflows/${id}/runs/${execute_id}`)
      const history = `/v1/workflow/get_run_history?workflow_id=${id}&execute_id=${execute_id}`
      for (const path of [history, `/v1/workflows/${id}/run_histories/${execute_id}`])
        seen.push((await app.call('GET', path)).body.data[0].workflow_id)
    }
    seen.push((await app.call('GET', `/v1/workflows/${id}`)).body.data.workflow_detail.workflow_id)
    expect(new Set(seen)).toEqual(new Set([id]))
  })

  test('every id in every answer is a string, or a number that is exact', async () => {
    const id = '8234567890123456001'
    await app.makeBot(app.userId, { id })
    const chat = await post(app, '/v3/chat', { bot_id: id, query: 'hi' })
    const address = `conversation_id=${chat.body.conversation_id}`
    const texts = [
      chat.text,
      (await app.call('GET', `/v3/chat/retrieve?${address}&chat_id=${chat.body.data.id}`)).text,
      (await app.call('GET', `/v3/chat/message/list?${address}&chat_id=${chat.body.data.id}`)).text,
      (await app.call('POST', `/v1/conversation/message/list?${address}`, {})).text,
      (await app.call('GET', `/v1/conversation/retrieve?${address}`)).text,
      (await app.call('GET', `/v1/bots/${id}`)).text,
      (await app.call('GET', `/v1/bot/get_online_info?bot_id=${id}`)).text,
    ]
    for (const text of texts) {
      // no JSON parser of any client rounds it
      for (const [number] of text.matchAll(/(?<=[:[,])-?\d+(?=[,}\]])/g))
        expect(Number.isSafeInteger(Number(number)), `${number} in ${text}`).toBe(true)
    }
  })

  test.each(['9223372036854775808', '99999999999999999999', '-1', '1.5', '1e18', '0'])('%s is refused, not rounded', async (id) => {
    expect((await post(app, '/v3/chat', { bot_id: raw(id), query: 'hi' })).status).toBe(422)
    expect((await post(app, '/v3/chat', { bot_id: id, query: 'hi' })).status).toBe(422)
  })

  test('@coze/api', async () => {
    const id = '8234567890123456003'
    await app.makeBot(app.userId, { id })
    const coze = new CozeAPI({ baseURL: app.url, token: app.apiKey })
    const question = [{ role: RoleType.User, content: 'hi', content_type: 'text' as const }]
    const { chat, messages } = await coze.chat.createAndPoll({ bot_id: id, user_id: 'u', additional_messages: question })
    expect([chat.bot_id, messages?.[0]?.bot_id]).toEqual([id, id])
    expect((await coze.bots.retrieveNew(id)).bot_id).toBe(id)
  })

  test.skipIf(python === undefined)('cozepy', async () => {
    const id = '8234567890123456005'
    await app.makeBot(app.userId, { id })
    const program = [
      'import os',
      'from cozepy import Coze, Message, TokenAuth',
      'coze = Coze(auth=TokenAuth(os.environ["COZE_TOKEN"]), base_url=os.environ["COZE_URL"])',
      `poll = coze.chat.create_and_poll(bot_id="${id}", user_id="u", additional_messages=[Message.build_user_question_text("hi")])`,
      `print(poll.chat.bot_id, poll.messages[0].bot_id, coze.bots.retrieve(bot_id="${id}").bot_id)`,
    ]
    const printed = await outputOf(python ?? '', ['-c', program.join('\n')], { env: { COZE_TOKEN: app.apiKey, COZE_URL: app.url } })
    expect(printed.trim()).toBe(`${id} ${id} ${id}`)
  })
})

/** Digits that stand in the JSON without quotes. */
type Raw = { digits: string }
const raw = (digits: string): Raw => ({ digits })

function post(app: TestApp, path: string, { bot_id, ...body }: { bot_id: string | Raw; [name: string]: Json }) {
  const id = typeof bot_id === 'string' ? JSON.stringify(bot_id) : bot_id.digits
  return app.call('POST', path, `{"bot_id":${id},${JSON.stringify({ of: 'test', ...body }).slice(1)}`)
}
