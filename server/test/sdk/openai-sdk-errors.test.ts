import { APIError, AuthenticationError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } from 'openai'
import { describe, expect, test } from 'vitest'
import { answers, fails } from '../support/fake-provider.ts'
import { QUESTION, sdkOf, textIn } from '../support/openai-client.ts'
import type { Chunk } from '../support/openai-client.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

describe.each(testDatabases())('errors of the openai package, on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const create = (body: object, sdk = sdkOf(app)) => sdk.chat.completions.create({ ...QUESTION, ...body })
  const both = [{ stream: false }, { stream: true }]

  test.each(both)('AuthenticationError (%o)', async (how) => {
    const error = await errorOf(create(how, sdkOf(app, 'sk-nonsense')))
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'invalid_request_error', param: null })
    expect(error.message).toBe('401 api key invalid')
    expect(error.requestID).toMatch(/^req_\d+$/)
    await expect(sdkOf(app, 'sk-nonsense').models.list()).rejects.toThrow(AuthenticationError)
  })

  test.each(both)('NotFoundError for a model that is no bot, not published or another’s (%o)', async (how) => {
    const hidden = await app.makeBot(app.userId, { published: false })
    const foreign = await app.makeBot((await app.makeUser()).userId)
    for (const model of ['gpt-4o', '1', '99999999999999999999999', hidden, foreign]) {
      const error = await errorOf(create({ ...how, model }))
      expect(error).toBeInstanceOf(NotFoundError)
      expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
    }
  })

  test('NotFoundError for a file that is another’s', async () => {
    const content = [{ type: 'file', file: { file_id: '77' } }]
    const error = await errorOf(create({ messages: [{ role: 'user', content }] }))
    expect(error).toMatchObject({ status: 404, code: 'not_found' })
  })

  test.each(both)('RateLimitError when the model’s provider has enough (%o)', async (how) => {
    app.provider.script = fails(429, { retryAfter: 0 })
    const error = await errorOf(create(how))
    expect(error).toBeInstanceOf(RateLimitError)
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'rate_limit_error' })
    expect(error.headers?.get('retry-after')).toMatch(/^\d+$/)
  })

  test.each(both)('InternalServerError when the chat fails (%o)', async (how) => {
    app.provider.script = fails(401)
    const error = await errorOf(create(how))
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ status: 500, code: 'run_failed', type: 'server_error' })
    expect(error.message).toMatch(/^500 the model provider/)
  })

  test.each(both)('BadRequestError when the provider refuses what was asked (%o)', async (how) => {
    app.provider.script = fails(400)
    expect(await errorOf(create(how))).toBeInstanceOf(BadRequestError)
  })

  test('a stream that breaks off in the middle raises an APIError after what had come', async () => {
    app.provider.script = answers(['one ', { do: 'raw', bytes: 'data: nonsense\n\n' }, { do: 'stop' }])
    const chunks: Chunk[] = []
    const stream = await sdkOf(app).chat.completions.create({ ...QUESTION, stream: true })
    const error = await errorOf(collect(stream, chunks))
    expect(textIn(chunks)).toBe('one ')
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ code: 'run_failed', type: 'server_error' })
  })

  keepsItsSecrets(app)
})

async function collect(stream: AsyncIterable<Chunk>, into: Chunk[]): Promise<void> {
  for await (const chunk of stream) into.push(chunk)
}

async function errorOf(work: PromiseLike<unknown>): Promise<APIError> {
  const error: unknown = await Promise.resolve(work).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  if (!(error instanceof APIError)) throw new Error('no APIError', { cause: error })
  return error
}
