import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { answers } from '../support/fake-provider.ts'
import type { Script } from '../support/fake-provider.ts'
import { cannotRun } from '../support/find-program.ts'
import { deltaText, parseFrames } from '../support/sse-frames.ts'
import { testDatabases } from '../support/test-databases.ts'
import { ownSamples, samples } from './guide-files.ts'
import { startGuideProduct } from './guide-product.ts'
import type { GuideProduct } from './guide-product.ts'
import { createSampleRunner, findPython } from './sample-runner.ts'
import type { Filling, SampleRunner } from './sample-runner.ts'

const GREETING = ['你好', '!我是一个', '智能助手', ',可以回答常见问题。']

/** Everything that a client could take for the end of a line, of an event or of the stream; then a burst. */
const STORY = [
  ...[
    '从前有座山,',
    '山里有座庙。\n',
    '\r\n',
    'data: [DONE]\n\n',
    '[DONE]',
    '老和尚说:"讲个\\n故事" {"type":"answer"}',
    '🐼',
    ' \u2028\u2029\u0085 ',
  ],
  ...Array.from({ length: 120 }, (_, index) => `第${index + 1}回 `),
  '完',
]

const greeting = GREETING.join('')
const story = STORY.join('')
const script: Script = ({ lastUserText }) => (/故事|story/i.test(lastUserText) ? answers(STORY) : answers(GREETING))

const hasPython = (await findPython()) !== undefined || Boolean(process.env.CI)

const readers = testDatabases().map(({ name }) => ({ set: samples, whose: samples.whose, database: name }))
// ours stay true also where nobody needs them
if (samples !== ownSamples) readers.push({ set: ownSamples, whose: ownSamples.whose, database: 'SQLite' })

describe.each(readers)('a reader of the guide runs $whose samples on $database', ({ set, database }) => {
  let product: GuideProduct
  let runner: SampleRunner
  let filling: Filling

  beforeAll(async () => {
    await using started = new AsyncDisposableStack()
    product = started.use(await startGuideProduct({ database, script }))
    runner = started.use(await createSampleRunner(set))
    filling = { port: product.server.port, secret: product.key.secret }
    const all = started.move()
    return () => all.disposeAsync()
  })

  describe.skipIf(cannotRun('bash', 'curl'))('with curl', () => {
    test('creates a key with a session cookie, and chats with that key', async () => {
      const created = JSON.parse(await runner.runShell('curl-1-create-key.sh', { ...filling, cookie: await product.signIn() }))
      expect(created).toMatchObject({ code: 0, name: 'My API Key', expired_at: 0, last_used_at: 0 })
      expect(created).toMatchObject({
        id: expect.any(Number),
        user_id: expect.any(Number),
        api_key: expect.stringMatching(/^pat_\w{40,}$/),
      })
      expect(Math.abs(created.created_at - Date.now())).toBeLessThan(60_000)

      const chat = JSON.parse(await runner.runShell('curl-2-chat.sh', { ...filling, secret: created.api_key }))
      expect(chat).toMatchObject({ code: 0, conversation_id: expect.stringMatching(/^\d+$/) })
      expect(chat.message).toMatchObject({ id: expect.stringMatching(/^\d+$/), role: 'assistant', content: greeting })
      expect(Math.abs(chat.message.created_at * 1000 - Date.now())).toBeLessThan(60_000)
    })

    test('streams', async () => {
      const frames = parseFrames(await runner.runShell('curl-3-stream.sh', filling))
      const completed = frames.find(({ data }) => data.content === story)

      expect(deltaText(frames)).toBe(story)
      expect(frames.filter(({ event }) => event === 'conversation.message.delta')).toHaveLength(STORY.length)
      expect(completed).toMatchObject({ event: 'conversation.message.completed', data: { role: 'assistant' } })
      expect(completed?.data).not.toHaveProperty('type')
      expect(frames.at(-1)).toMatchObject({ event: 'done', raw: '[DONE]' })
      expect(frames.slice(0, -1).every(({ data }) => typeof data === 'object')).toBe(true)
    })
  })

  describe.skipIf(!hasPython)('with Python', () => {
    test('asks and streams', async () => {
      const printed = await runner.runPython(['python-1-chat.py', 'python-2-stream.py'], filling)
      const [whole = '', ...rest] = printed.split('\n')
      expect(whole).toMatch(/'conversation_id': '\d+'/)
      expect(whole).toMatch(new RegExp(`'message': {'id': '\\d+',.*'role': 'assistant',.*'content': '${greeting}'`))
      expect(occurrences(whole, greeting)).toBe(1)
      expect(rest.join('\n')).toBe(`${story}\n`)
    })

    test('uses the SDK class for everything that it can do', async () => {
      const printed = await runner.runPython(['python-3-sdk.py'], filling, PYTHON_TOUR)
      const [whole = '', ...rest] = printed.split('\n')
      expect(occurrences(whole, greeting)).toBe(1)
      expect(rest.join('\n')).toBe(`${story}\n`)

      const tour = await readTour()
      expect(tour.bot).toMatchObject(GUIDE_BOT)
      expect(tour.pdf).toMatchObject({
        file_id: expect.any(String),
        file_name: 'document.pdf',
        file_size: 1500,
        file_type: 'application/pdf',
      })
      expect(tour.text).toMatchObject({ file_name: '报告.txt', file_size: 12 })
      expect(await bytesAt(tour.text.upload_url)).toBe('一份报告')

      expect(tour.chat).toMatchObject({ conversation_id: tour.conversation.data.id, message: { content: greeting } })
      expect(idsOf(tour.listed)).toEqual([tour.conversation.data.id])
      expect(idsOf(tour.listedForOther)).toEqual([])
      expect(tour.cleared).toMatchObject({ code: 0, data: { conversation_id: tour.conversation.data.id } })
      expect(tour.deleted).toMatchObject({ code: 0 })
    })
  })

  describe('with Node', () => {
    test('asks', async () => {
      const printed = await runner.runNode(await set.read('node-1-chat.js'), filling)
      expect(printed).toMatch(/conversation_id: '\d+'/)
      expect(printed).toMatch(/message: {\s+id: '\d+',[^}]+role: 'assistant',/)
      expect(occurrences(printed, greeting)).toBe(1)
    })

    test('streams', async () => {
      // the second sample goes on where the first began: its constants are the first one's
      const constants = (await set.read('node-1-chat.js')).match(/^const API_.*$/gm)?.join('\n')
      const printed = await runner.runNode(`${constants}\n${await set.read('node-2-stream.js')}`, filling)
      expect(printed).toBe(`${story}\n[Stream ended]\n`)
    })

    test('uses the TypeScript class for everything that it can do', async () => {
      const printed = await runner.runTypeScript('ts-3-sdk.ts', filling, TYPESCRIPT_TOUR)
      const streamed = printed.slice(printed.indexOf(STORY[0] ?? ''))
      expect(occurrences(printed, greeting)).toBe(1)
      expect(printed).toMatch(/message: {\s+id: '\d+',/)
      expect(streamed).toBe(`${story}\n`)

      const tour = await readTour()
      expect(tour.bot).toMatchObject(GUIDE_BOT)
      expect(tour.file).toMatchObject({ file_id: expect.any(String), file_name: '报告.txt', file_size: 12, created_at: expect.any(Number) })
      expect(await bytesAt(tour.file.upload_url)).toBe('一份报告')
      expect(tour.second.conversation_id).toBe(tour.first.conversation_id)
      expect(textsOf(product.provider.lastRequest.body)).toEqual(['你好吗?', greeting, '再说一遍'])
    })
  })

  const readTour = async () => JSON.parse(await readFile(join(runner.dir, 'tour.json'), 'utf8'))
})

const GUIDE_BOT = {
  bot_id: 123456,
  name: '客服助手',
  description: '智能客服机器人,可以回答常见问题',
  icon_url: 'https://example.com/icon.png',
  prompt: '你是一个专业的客服助手',
  version: '1.0.0',
  created_at: expect.any(Number),
  updated_at: expect.any(Number),
}

const occurrences = (text: string, part: string) => text.split(part).length - 1
const bytesAt = async (url: string) => (await fetch(url)).text()
const idsOf = (list: { data: { conversations: { id: string }[] } }) => list.data.conversations.map(({ id }) => id)
const textsOf = ({ messages }: { messages: { role: string; content: unknown }[] }) =>
  messages.filter(({ role }) => role !== 'system').map(({ content }) => content)

/** Calls what the sample defines but does not call. The answers go to a file: what is printed is the sample's own. */
const PYTHON_TOUR = `
with open("document.pdf", "wb") as pdf:
    pdf.write(b"%PDF-1.4\\n" + b"\\0" * 1491)
with open("报告.txt", "w", encoding="utf-8") as report:
    report.write("一份报告")

conversation = client.create_conversation(123456, user_id="tour")
address = f"{client.base_url}/v1/conversations/{conversation['data']['id']}"
tour = {
    "bot": client.get_bot_info(123456),
    "pdf": client.upload_file("document.pdf"),
    "text": client.upload_file("报告.txt"),
    "conversation": conversation,
    "chat": client.chat(123456, "你好", conversation_id=conversation["data"]["id"], user_id="tour", parameters={"city": "北京"}),
    "listed": client.list_conversations(123456, user_id="tour"),
    "listedForOther": client.list_conversations(123456, user_id="nobody"),
    # the session says that this is JSON, and there is nothing
    "cleared": client.session.post(f"{address}/clear").json(),
    "deleted": client.session.delete(address).json(),
}
with open("tour.json", "w", encoding="utf-8") as file:
    json.dump(tour, file)
`

const TYPESCRIPT_TOUR = `
import { writeFileSync } from 'node:fs'

process.once('beforeExit', async () => {
  const client = new CozePlusClient('pat_key', 'http://localhost:8888')
  const bot = await client.getBotInfo(123456)
  const file = await client.uploadFile(Buffer.from('一份报告'), '报告.txt')
  const first = await client.chat({ bot_id: 123456, user_id: 'tour', query: '你好吗?' })
  const second = await client.chat({ bot_id: 123456, user_id: 'tour', query: '再说一遍', conversation_id: first.conversation_id })
  writeFileSync('tour.json', JSON.stringify({ bot, file, first, second }))
})
`
