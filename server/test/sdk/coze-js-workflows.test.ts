import {
  APIError,
  AuthenticationError,
  BadRequestError,
  ChatEventType,
  CozeAPI,
  NotFoundError,
  RoleType,
  WorkflowEventType,
} from '@coze/api'
import type { StreamChatData, WorkflowEvent } from '@coze/api'
import { describe, expect, test } from 'vitest'
import { SECONDS } from '../support/chat-shapes.ts'
import { answers, says, wait } from '../support/fake-provider.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, brackets, publish, reading, speaking, talking, useProvider } from '../support/workflow-app.ts'

/** Workflows of the official JavaScript SDK as it is on npm: only the base URL is ours. */
describe.each(testDatabases())('workflows of @coze/api on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('a whole run', () => runsWhole(app))
  describe('a stream', () => streams(app))
  describe('a chat', () => chats(app))
  describe('an error', () => raisesErrors(app))
})

const sdk = (app: TestApp, token = app.apiKey) => new CozeAPI({ baseURL: app.url, token })

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const events: T[] = []
  for await (const event of stream) events.push(event)
  return events
}

function runsWhole(app: TestApp): void {
  test('runs.create gives the result', async () => {
    const workflow_id = await publish(app, brackets())
    const result = await sdk(app).workflows.runs.create({ workflow_id, parameters: { word: 'hi' } })
    expect(result).toMatchObject({ data: '{"said":"\\u003chi\\u003e","times":1}', cost: '0', token: 0, msg: 'Success' })
    expect(result.debug_url).toBe(`${app.url}/workflows/${workflow_id}/runs/${result.execute_id}`)
  })

  test('runs.create with is_async, then runs.history', async () => {
    const workflow_id = await publish(app, brackets())
    const coze = sdk(app)
    const { execute_id } = await coze.workflows.runs.create({
      workflow_id,
      parameters: { word: 'hi' },
      is_async: true,
      ext: { user_id: 'ada' },
    })
    const history = async () => (await coze.workflows.runs.history(workflow_id, execute_id))[0]
    await expect.poll(async () => (await history())?.execute_status).toBe('Success')
    expect(await history()).toMatchObject({
      ...{ execute_id, bot_id: '0', connector_id: '1024', connector_uid: 'ada', run_mode: 2, logid: expect.stringMatching(/^req_/) },
      ...{ output: '{"said":"\\u003chi\\u003e","times":1}', token: '0', cost: '0', error_code: '', error_message: '' },
      ...{ create_time: SECONDS, update_time: SECONDS, debug_url: expect.stringContaining(execute_id) },
    })
  })
}

function streams(app: TestApp): void {
  const messagesOf = (events: WorkflowEvent[]): Json[] =>
    events.filter(({ event }) => event === WorkflowEventType.MESSAGE).map(({ data }) => data)

  test('runs.stream gives every event, parsed and numbered', async () => {
    await useProvider(app)
    app.provider.script = answers(['Hel', wait(20), 'lo \u2028 \u0085 "quoted"\n'])
    const workflow_id = await publish(app, speaking())
    const events = await collect(sdk(app).workflows.runs.stream({ workflow_id, parameters: { topic: 'cats' } }))
    expect(events.map(({ id, event }) => `${id} ${event}`)).toEqual(['0 Message', '1 Message', '2 Message', '3 Done'])
    expect(messagesOf(events).map(({ content }) => content)).toEqual(['About cats: ', 'Hel', 'lo \u2028 \u0085 "quoted"\n'])
    expect(messagesOf(events).at(-1)).toMatchObject({ node_title: 'end', node_seq_id: '1', node_is_finish: true })
  })

  test('runs.stream ends with an Interrupt, and runs.resume goes on to the end', async () => {
    const coze = sdk(app)
    const workflow_id = await publish(app, asking())
    let events = await collect(coze.workflows.runs.stream({ workflow_id, parameters: { USER_INPUT: 'trip' } }))
    for (const [at, resume_data] of ['Rome', '3 km'].entries()) {
      expect(events.map(({ id, event }) => `${id} ${event}`)).toEqual(['0 Message', '1 Interrupt'])
      const interrupt: Json = events.at(-1)?.data
      expect(interrupt).toMatchObject({ node_title: ['place', 'distance'][at], interrupt_data: { type: 2 } })
      const { event_id, type } = interrupt.interrupt_data
      events = await collect(coze.workflows.runs.resume({ workflow_id, event_id, resume_data, interrupt_type: type }))
    }
    expect(events.map(({ id, event }) => `${id} ${event}`)).toEqual(['0 Message', '1 Done'])
    expect(messagesOf(events)[0].content).toBe('trip: Rome, 3 km')
  })

  test('runs.stream of a run that fails ends with an Error', async () => {
    const workflow_id = await publish(app, reading())
    const events = await collect(sdk(app).workflows.runs.stream({ workflow_id, parameters: { text: 'no JSON' } }))
    expect(events).toMatchObject([{ id: 0, event: 'Error', data: { error_code: 720701013, error_message: expect.stringMatching(/JSON/) } }])
  })
}

function chats(app: TestApp): void {
  const say = (content: string) => ({ additional_messages: [{ role: RoleType.User, content, content_type: 'text' as const }] })
  const textOf = (events: StreamChatData[]): string =>
    events.map(({ event, data }) => (event === ChatEventType.CONVERSATION_MESSAGE_DELTA ? data.content : '')).join('')

  test('workflows.chat.stream gives every event, up to done', async () => {
    await useProvider(app)
    app.provider.script = says('Hel', 'lo')
    const workflow_id = await publish(app, talking(), { mode: 'chatflow' })
    const events = await collect(sdk(app).workflows.chat.stream({ workflow_id, ...say('hi'), parameters: { mood: 'fine' } }))
    expect(events.map(({ event }) => event)).toEqual([
      ...['conversation.chat.created', 'conversation.chat.in_progress', 'conversation.message.delta', 'conversation.message.delta'],
      ...['conversation.message.completed', 'conversation.chat.completed', 'done'],
    ])
    expect(textOf(events)).toBe('Hello')
    expect(events.at(-2)?.data).toMatchObject({ status: 'completed', usage: { output_count: 2 } })
  })

  test('a question of the workflow is answered with the next message', async () => {
    const coze = sdk(app)
    const workflow_id = await publish(app, asking(), { mode: 'chatflow' })
    const first = await collect(coze.workflows.chat.stream({ workflow_id, ...say('trip') }))
    expect(textOf(first)).toBe('Where to?')
    expect(first.at(-2)?.event).toBe(ChatEventType.CONVERSATION_CHAT_REQUIRES_ACTION)
    const conversation_id = (first[0]?.data as Json).conversation_id as string
    const second = await collect(coze.workflows.chat.stream({ workflow_id, conversation_id, ...say('Rome') }))
    expect(textOf(second)).toBe('How far?')
    const third = await collect(coze.workflows.chat.stream({ workflow_id, conversation_id, ...say('3 km') }))
    expect(textOf(third)).toBe('trip: Rome, 3 km')
    expect((await coze.conversations.messages.list(conversation_id)).data.length).toBe(6)
  })
}

function raisesErrors(app: TestApp): void {
  type Wanted = { type: new (...args: never[]) => APIError; status?: number; code?: number; msg?: RegExp }

  async function expectError(work: Promise<unknown>, { type, ...known }: Wanted): Promise<void> {
    const error: unknown = await work.catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(type)
    const { status, code, msg } = error as APIError
    const seen = { ...('status' in known && { status }), ...('code' in known && { code }), ...('msg' in known && { msg }) }
    expect(seen).toEqual({ ...known, ...(known.msg && { msg: expect.stringMatching(known.msg) }) })
  }

  test('of the class that the SDK has for it', async () => {
    const { runs } = sdk(app).workflows
    const workflow_id = await publish(app, brackets())
    await expectError(runs.create({ workflow_id }), { type: BadRequestError, status: 400, code: 4000, msg: /parameters\.word is required/ })
    await expectError(runs.create({ workflow_id: '7' }), { type: NotFoundError, status: 404, code: 404, msg: /workflow not found/ })
    const draft = await publish(app, brackets(), { isPublished: false })
    await expectError(runs.create({ workflow_id: draft }), { type: NotFoundError, code: 6031, msg: /is not published/ })
    await expectError(runs.history(workflow_id, '7'), { type: NotFoundError, status: 404 })
    await expectError(sdk(app, 'pat_x').workflows.runs.create({ workflow_id }), {
      type: AuthenticationError,
      status: 401,
      msg: /^api key invalid$/,
    })
  })

  test('also on streams', async () => {
    const { runs, chat } = sdk(app).workflows
    const workflow_id = await publish(app, brackets())
    await expectError(collect(runs.stream({ workflow_id })), { type: BadRequestError, status: 400 })
    await expectError(collect(runs.stream({ workflow_id: '7' })), { type: NotFoundError, status: 404 })
    const answer = { workflow_id, event_id: '7/7', resume_data: 'x', interrupt_type: 2 }
    await expectError(collect(runs.resume(answer)), { type: NotFoundError, status: 404 })
    await expectError(
      Promise.resolve(
        collect(chat.stream({ workflow_id: '7', additional_messages: [{ role: RoleType.User, content: 'x', content_type: 'text' }] })),
      ),
      {
        ...{ type: NotFoundError, status: 404 },
      },
    )
  })

  test('with the code of what went wrong in the run', async () => {
    const { runs } = sdk(app).workflows
    const failing = await publish(app, reading())
    await expectError(runs.create({ workflow_id: failing, parameters: { text: 'no JSON' } }), {
      type: APIError,
      code: 720701013,
      msg: /JSON/,
    })
    await expectError(runs.create({ workflow_id: await publish(app, asking()) }), { type: APIError, code: 6039, msg: /stream_run/ })
  })
}
