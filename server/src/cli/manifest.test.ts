import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { environment } from '../config.ts'
import { AppError } from '../lib/app-error.ts'
import { readManifest } from './manifest.ts'

const dir = await mkdtemp(join(tmpdir(), 'coze-plus-manifest-'))
let files = 0
afterAll(() => rm(dir, { recursive: true }))

async function read(text: string) {
  const path = join(dir, `${++files}.yaml`)
  await writeFile(path, text)
  return readManifest(path)
}

/** What the operator is told, a line each, without the first one. */
async function problemsOf(text: string): Promise<string[]> {
  const cause: unknown = await read(text).then(
    () => 'nothing is wrong',
    (reason: unknown) => reason,
  )
  if (!(cause instanceof AppError) || cause.code !== 'invalid_request') throw new Error('not refused', { cause })

  return cause.message
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
}

describe('a manifest', () => {
  test('of the documentation, with everything in it', async () => {
    environment.TEST_UPSTREAM_KEY = 'sk-of-the-test'
    const manifest = await read(`
models:
  - name: fast
    id: 1737521813
    protocol: openai
    base_url: http://127.0.0.1:9100/v1
    api_key: \${TEST_UPSTREAM_KEY}
    model: some-model
bots:
  - id: 123456
    owner: admin@example.com
    name: 客服助手
    description: 智能客服机器人,可以回答常见问题
    icon_url: https://example.com/icon.png
    prompt: 你是一个专业的客服助手
    model: fast
    parameters: { temperature: 0.7, max_tokens: 1024, history_rounds: 20, response_format: json, top_p: 1, presence_penalty: 1, frequency_penalty: -1 }
    onboarding: { prologue: 你好, suggested_questions: [你能做什么?] }
    suggest_replies: false
    variables: [{ name: city, default: 北京 }]
    publish: { version: 1.0.0, note: first }
`)

    expect(manifest.models).toEqual([
      {
        ...{ name: 'fast', id: '1737521813', protocol: 'openai', baseUrl: 'http://127.0.0.1:9100/v1' },
        ...{ apiKey: 'sk-of-the-test', providerModel: 'some-model' },
      },
    ])
    expect(manifest.bots).toMatchObject([
      {
        ...{ id: '123456', owner: 'admin@example.com', name: '客服助手', iconUrl: 'https://example.com/icon.png' },
        config: {
          ...{ prompt: '你是一个专业的客服助手', model: 'fast', suggestReplies: false },
          parameters: {
            temperature: 0.7,
            maxTokens: 1024,
            historyRounds: 20,
            responseFormat: 'json',
            topP: 1,
            presencePenalty: 1,
            frequencyPenalty: -1,
          },
          onboarding: { prologue: '你好', suggestedQuestions: ['你能做什么?'] },
          variables: [{ name: 'city', default: '北京' }],
        },
        publish: { version: '1.0.0', note: 'first' },
      },
    ])
  })

  test('of the least there is', async () => {
    expect(await read('{}')).toMatchObject({ models: [], bots: [] })
    const { bots } = await read('bots: [{ name: b }]')
    expect(bots).toMatchObject([
      { id: undefined, owner: undefined, config: { model: 'default', parameters: { historyRounds: 20 } }, publish: undefined },
    ])
  })

  test('may be JSON', async () => {
    expect((await read('{"bots":[{"name":"b","id":"7","publish":{}}]}')).bots).toMatchObject([{ id: '7', publish: {} }])
  })

  test('has ids of 19 digits exactly, as numbers and as texts', async () => {
    const { models, bots } = await read(
      '{ models: [{ name: m, id: 7373737373737373737 }], bots: [{ name: b, id: "1234567890123456789" }] }',
    )

    expect([models[0]?.id, bots[0]?.id]).toEqual(['7373737373737373737', '1234567890123456789'])
  })

  test('has variables in any text, and none in what they hold', async () => {
    Object.assign(environment, { TEST_CITY: '${TEST_OTHER} "quoted": [', TEST_OTHER: 'no' })
    const { bots } = await read('bots: [{ name: "a ${TEST_CITY} b", variables: [{ name: city, default: "${TEST_OTHER}" }] }]')

    expect(bots[0]).toMatchObject({ name: 'a ${TEST_OTHER} "quoted": [ b', config: { variables: [{ default: 'no' }] } })
  })
})

describe('a manifest that is refused', () => {
  test('names every place that is wrong, in the words of the file', async () => {
    const problems = await problemsOf(`
models:
  - { name: demo }
  - { name: m, protocol: soap, base_url: "not a url" }
bots:
  - { id: -5, name: "" }
  - { name: b, colour: red, parameters: { temperature: 3, max_tokens: 0, top_q: 1 } }
  - { name: c, variables: [{ name: "1a" }] }
things: []
`)

    expect(problems.map((line) => line.split(': ', 1)[0])).toEqual([
      ...['models.0.name', 'models.1.protocol', 'models.1.base_url', 'bots.0.id', 'bots.0.name'],
      ...[
        'bots.1.parameters',
        'bots.1',
        'bots.1.parameters.temperature',
        'bots.1.parameters.max_tokens',
        'bots.2.variables.0.name',
        'manifest',
      ],
    ])
    expect(problems).toContain('models.0.name: `demo` is built in')
    expect(problems).toContain('bots.0.id: must be a positive whole number, at most 2^63 - 1')
  })

  test('also where only the bot’s rules tell', async () => {
    expect(await problemsOf('bots: [{ name: b, parameters: { max_tokens: 0, temperature: 3 } }]')).toEqual([
      expect.stringMatching(/^bots\.0\.parameters\.temperature: /),
      expect.stringMatching(/^bots\.0\.parameters\.max_tokens: /),
    ])
    expect(await problemsOf('bots: [{ name: b, onboarding: { suggested_questions: ["x"] }, variables: [{ name: "a b" }] }]')).toEqual([
      expect.stringMatching(/^bots\.0\.variables\.0\.name: /),
    ])
  })

  test.each(['9223372036854775808', '"9999999999999999999"', '0', '1.5', '"12a"', '-1', 'true'])('an id that is none: %s', async (id) => {
    expect(await problemsOf(`bots: [{ name: b, id: ${id} }]`)).toEqual(['bots.0.id: must be a positive whole number, at most 2^63 - 1'])
  })

  test('says what is there twice', async () => {
    const problems = await problemsOf(`
models: [{ name: a }, { name: b }, { name: a }]
bots: [{ name: x, id: 5 }, { name: y, id: "5" }, { name: z }, { name: z }, { name: o, owner: a@b.c }, { name: o, owner: a@b.c }]
`)
    expect(problems).toEqual([
      ...['models.2.name: a is there twice', 'bots.1.id: 5 is there twice', 'bots.3.id: z is there twice'],
      'bots.5.id: o of a@b.c is there twice',
    ])
  })

  test('bots of two people may have one name', async () => {
    const { bots } = await read('bots: [{ name: z, owner: a@example.com }, { name: z, owner: b@example.com }]')
    expect(bots).toHaveLength(2)
  })

  test.each([
    [
      'a variable that is not set',
      'models: [{ name: "${TEST_NOT_SET}" }]',
      'the variable TEST_NOT_SET, which the manifest uses, is not set',
    ],
    ['no YAML', 'bots: [', 'is neither YAML nor JSON'],
    ['a key that is there twice', 'bots: []\nbots: []', 'is neither YAML nor JSON'],
    ['a text', 'hello', 'manifest: '],
    ['nothing', '', 'manifest: '],
  ])('%s', async (...[, text, message]) => {
    await expect(read(text)).rejects.toEqual(
      expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(message) }),
    )
  })

  test('a file that is not there', async () => {
    const path = join(dir, 'nowhere.yaml')
    await expect(readManifest(path)).rejects.toEqual(
      expect.objectContaining({ code: 'invalid_request', message: `${path} cannot be read` }),
    )
  })
})

test('an app names its conversations', async () => {
  const { apps } = await read('apps: [{ name: a, conversations: [orders, 订单] }, { name: b }]')
  expect(apps.map(({ conversations }) => conversations)).toEqual([['orders', '订单'], []])

  const wrong = 'apps: [{ name: a, conversations: [x, x] }, { name: b, conversations: [""] }, { name: c, conversations: [1] }]'
  expect(await problemsOf(wrong)).toEqual([
    'apps.0.conversations: must not have a name twice',
    'apps.1.conversations.0: must be text of 1 to 255 characters',
    'apps.2.conversations.0: must be text of 1 to 255 characters',
  ])
})
