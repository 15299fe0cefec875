import {
  APIError,
  AuthenticationError,
  BadRequestError,
  CozeAPI,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  RoleType,
} from '@coze/api'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { answers, hang } from '../support/fake-provider.ts'
import { useTestApp } from '../support/test-app.ts'

/**
 * Each refusal raises the class that the official SDK has for it. 403 and 429 are answered by the
 * console's routes only, so far: the SDK's own HTTP client is what calls them.
 */
describe('errors of @coze/api', () => {
  const app = useTestApp({})
  const question = { additional_messages: [{ role: RoleType.User, content: 'hi', content_type: 'text' as const }] }
  const sdk = (token = app.apiKey) => new CozeAPI({ baseURL: app.url, token })

  test('400: BadRequestError, with the code that names the reason', async () => {
    const coze = sdk()
    const { chat } = await coze.chat.createAndPoll({ bot_id: app.botId, user_id: 'u', ...question })
    await expectError(coze.chat.cancel(chat.conversation_id, chat.id), { type: BadRequestError, status: 400, code: 4104, msg: /cancel/ })
  })

  test('401: AuthenticationError, also on a stream', async () => {
    const coze = sdk('pat_nonsense')
    const wanted = { type: AuthenticationError, status: 401 }
    await expectError(coze.workspaces.list(), { ...wanted, code: 401, msg: /^api key invalid$/ })
    await expectError(firstOf(coze.chat.stream({ bot_id: app.botId, user_id: 'u', ...question })), wanted)
  })

  test('403: PermissionDeniedError', async () => {
    const signUp = sdk().post('/api/console/sign-up', { email: 'new@example.com', password: 'correct-horse-battery-staple' })
    await expectError(signUp, { type: PermissionDeniedError, status: 403, code: 403, msg: /^sign-up is closed/ })
  })

  test('404: NotFoundError, for what is missing, what is another’s and what is not served', async () => {
    const coze = sdk()
    const foreign = await app.makeBot((await app.makeUser()).userId)
    const wanted = { type: NotFoundError, status: 404, code: 404 }
    await expectError(coze.bots.retrieveNew('1'), { ...wanted, msg: /^bot not found or not published$/ })
    await expectError(coze.bots.retrieveNew(foreign), { ...wanted, msg: /^bot not found or not published$/ })
    await expectError(coze.conversations.messages.retrieve('1', '1'), { ...wanted, msg: /^conversation not found$/ })
    await expectError(coze.templates.duplicate('1', { workspace_id: '1' }), { ...wanted, msg: /^not found: POST/ })
    await expectError(firstOf(coze.chat.stream({ bot_id: '1', user_id: 'u', ...question })), { type: NotFoundError, status: 404 })
  })

  test('409: the SDK has no class of its own for it; status and code say that a chat is running', async () => {
    app.provider.script = answers([hang()])
    const coze = sdk()
    const chat = await coze.chat.create({ bot_id: app.botId, user_id: 'u', ...question })
    const second = coze.chat.create({ bot_id: app.botId, user_id: 'u', conversation_id: chat.conversation_id, ...question })
    await expectError(second, { type: APIError, status: 409, code: 4016, msg: /^a chat is already running/ })
    await coze.chat.cancel(chat.conversation_id, chat.id)
  })

  test('422: the SDK has no class of its own for it; the message names the field', async () => {
    const made = sdk().bots.create({ space_id: app.userId, name: '' })
    await expectError(made, { type: APIError, status: 422, code: 422, msg: /^name: must not be empty$/ })
    const bot_id = app.botId
    const written = sdk().variables.update({ bot_id, connector_uid: 'u', data: [{ keyword: 'nonsense', value: 'a' }] })
    await expectError(written, { type: APIError, status: 422, code: 422, msg: /no variable named "nonsense"/ })
  })

  test('429: RateLimitError', async () => {
    const coze = sdk()
    const attempt = () => coze.post('/api/console/sign-in', { email: 'user1@example.com', password: 'wrong' })
    for (let time = 0; time < 9; time++) await attempt().catch(() => undefined)
    await expectError(attempt(), { type: RateLimitError, status: 429, code: 4013, msg: /^too many failed attempts/ })
  })

  test('500: InternalServerError, for a model that fails and for a fault of the server, which is not told', async () => {
    app.provider.script = answers([{ do: 'raw', bytes: 'nonsense' }, { do: 'stop' }])
    const asked = sdk().post('/v3/chat', { bot_id: app.botId, query: 'hi' })
    await expectError(asked, { type: InternalServerError, status: 500, code: 500, msg: /^the model provider/ })

    await sql`alter table end_user_variable rename to gone`.execute(app.core.db)
    const read = sdk().variables.retrieve({ bot_id: app.botId, connector_uid: 'u' })
    await expectError(read, { type: InternalServerError, status: 500, code: 500, msg: /^internal server error$/ })
    await sql`alter table gone rename to end_user_variable`.execute(app.core.db)
  })
})

type Wanted = { type: new (...args: never[]) => APIError; status: number; code?: number; msg?: RegExp }

/** Exactly that class, with what the caller needs to find the request in the log. On streams the SDK has no body to read from. */
async function expectError(call: Promise<unknown>, { type, status, code, msg }: Wanted): Promise<void> {
  const error: unknown = await call.then(
    () => 'no error',
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(APIError)
  const { name, code: actual, msg: text, logid, status: told } = error as APIError
  expect((error as APIError).constructor, `${name}: ${text}`).toBe(type)
  expect({ status: told, code: actual, msg: text ?? undefined }).toEqual({ status, code, msg: msg && expect.stringMatching(msg) })
  expect(logid).toMatch(/^req_\d+$/)
}

async function firstOf(stream: AsyncIterable<unknown>): Promise<unknown> {
  for await (const event of stream) return event
}
