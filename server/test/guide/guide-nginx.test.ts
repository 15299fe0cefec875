import { Agent } from 'node:https'
import { beforeAll, describe, expect, test } from 'vitest'
import { answers, says, wait } from '../support/fake-provider.ts'
import { cannotRun } from '../support/find-program.ts'
import { deltaText, parseFrames } from '../support/sse-frames.ts'
import { samples } from './guide-files.ts'
import { startGuideProduct } from './guide-product.ts'
import type { GuideProduct } from './guide-product.ts'
import { ask, open, readWithCurl } from './nginx-clients.ts'
import type { Call } from './nginx-clients.ts'
import { startNginx } from './nginx-front.ts'
import type { NginxFront } from './nginx-front.ts'

const WORDS = ['一', '二', '三', '四', '五', '六', '七', '八']
const BETWEEN_WORDS_MS = 100
const slowly = answers(WORDS, { delayMs: BETWEEN_WORDS_MS })

describe.skipIf(cannotRun('nginx', 'openssl', 'curl'))(`behind nginx with ${samples.whose} configuration`, () => {
  let product: GuideProduct
  let part: string
  let front: NginxFront

  beforeAll(async () => {
    await using started = new AsyncDisposableStack()
    product = started.use(await startGuideProduct())
    part = await samples.read('nginx.conf.part')
    front = started.use(await startNginx(part, product.server.port))
    const all = started.move()
    return () => all.disposeAsync()
  })

  test.each(['--http1.1', '--http2'])('events arrive one by one (curl %s)', async (version) => {
    product.provider.script = slowly
    expect(await countArrivals(front, version)).toBeGreaterThan(WORDS.length / 2)
  })

  test('events arrive one by one even from a location that buffers and speaks HTTP/1.0 to the server, as /v1/ is', async () => {
    const chatLines = /^\s*(proxy_buffering|proxy_cache|proxy_http_version|proxy_set_header (Upgrade|Connection)) .*$/gm
    await using buffering = await startNginx(part.replace(chatLines, ''), product.server.port)
    product.provider.script = slowly

    expect(part.match(chatLines)).toHaveLength(5)
    expect(await countArrivals(buffering, '--http2')).toBeGreaterThan(WORDS.length / 2)
  })

  test('the first event comes at once, long before the model says anything', async () => {
    product.provider.script = answers([wait(2_000), 'late'])
    const { prints } = await readWithCurl(front, chat({ stream: true }), '--http2')
    const at = (event: string) => prints.find(({ text }) => text.includes(event))?.atMs ?? 0
    expect(at('event: conversation.message.delta') - at('event: conversation.chat.created')).toBeGreaterThan(1_500)
  })

  test('long answers arrive whole, streamed or not', async () => {
    const sentences = Array.from({ length: 3_000 }, (_, index) => `第${index + 1}句话,不长也不短。`)
    product.provider.script = says(...sentences)
    const streamed = await ask(front, chat({ stream: true }))
    const whole = await ask(front, chat({ stream: false }))

    expect(deltaText(parseFrames(streamed.text))).toBe(sentences.join(''))
    expect(streamed.text.endsWith('event: done\ndata: [DONE]\n\n')).toBe(true)
    expect(JSON.parse(whole.text).message.content).toBe(sentences.join(''))
  })

  test('one connection carries streams, answers, reads and errors one after the other', async () => {
    product.provider.script = says('你', '好')
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const calls = [
      chat({ stream: true }),
      chat({ stream: false }),
      { path: '/v1/bots/123456', secret: product.key.secret },
      { ...chat({ stream: true }), secret: 'pat_wrong' },
      // the configuration hands on what a client says that it could speak
      { ...chat({ stream: true }), headers: { upgrade: 'h2c', connection: 'upgrade' } },
      { ...chat({ stream: true }), body: { bot_id: 123456 } },
    ]
    const replies = []
    for (const call of calls) replies.push(await ask(front, call, agent))
    agent.destroy()

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 401, 200, 422])
    expect(replies.map(({ onKeptConnection }) => onKeptConnection)).toEqual([false, true, true, true, true, true])
    expect(replies.map(({ text }) => deltaText(parseFrames(text)))).toEqual(['你好', '', '', '', '你好', ''])
    expect(JSON.parse(replies[3]?.text ?? '')).toMatchObject({ code: 401, request_id: expect.any(String) })
  })

  test('a client that leaves in the middle finds the whole answer in its conversation', async () => {
    product.provider.script = slowly
    const seen = await leaveAfterFirstDelta()
    expect(seen.content).toBe(WORDS[0])

    const list = { path: `/v1/conversation/message/list?conversation_id=${seen.conversation_id}`, secret: product.key.secret, body: {} }
    const listed = async () => JSON.parse((await ask(front, list)).text).data
    const answer = { role: 'assistant', content: WORDS.join('') }
    await expect.poll(listed, { timeout: 5_000, interval: 100 }).toContainEqual(expect.objectContaining(answer))
    expect(product.provider.lastRequest.aborted).toBe(false)
  })

  test('uploads pass up to the 1 MB that nginx takes by default, and beyond it when nginx is told to', async () => {
    await using roomy = await startNginx(`client_max_body_size 600m;\n${part}`, product.server.port)
    const [small, refused, large] = [
      await ask(front, upload(900_000)),
      await ask(front, upload(3_000_000)),
      await ask(roomy, upload(5_000_000)),
    ]

    expect(JSON.parse(small.text)).toMatchObject({ code: 0, file_size: 900_000 })
    expect(JSON.parse(large.text)).toMatchObject({ code: 0, file_size: 5_000_000 })
    // @NOTE nginx itself answers this one, with a web page
    expect(refused).toMatchObject({ status: 413, headers: { 'content-type': 'text/html' } })
  })

  function chat(question: { stream: boolean }): Call {
    return { path: '/v3/chat', secret: product.key.secret, body: { bot_id: 123456, query: '讲一个故事', ...question } }
  }

  function upload(sizeBytes: number): Call {
    const body = new FormData()
    body.append('file', new Blob([Buffer.alloc(sizeBytes, 'x')]), 'large.bin')
    return { path: '/v1/files/upload', secret: product.key.secret, body }
  }

  /** How often words came to curl after a pause: each by itself, or all in one heap. */
  async function countArrivals(through: NginxFront, version: string): Promise<number> {
    const { text, prints } = await readWithCurl(through, chat({ stream: true }), version)
    expect(deltaText(parseFrames(text))).toBe(WORDS.join(''))

    const times = prints.filter((print) => print.text.includes('event: conversation.message.delta')).map(({ atMs }) => atMs)
    return times.filter((atMs, index) => atMs - (times[index - 1] ?? 0) > BETWEEN_WORDS_MS / 4).length
  }

  async function leaveAfterFirstDelta(): Promise<{ content: string; conversation_id: string }> {
    const { response } = await open(front, chat({ stream: true }))
    let seen = ''
    for await (const piece of response.setEncoding('utf8')) {
      seen += String(piece)
      const delta = parseFrames(seen.slice(0, seen.lastIndexOf('\n\n'))).find(({ event }) => event === 'conversation.message.delta')
      // leaving the loop closes the connection
      if (delta) return delta.data
    }
    throw new Error(`no delta in ${seen}`)
  }
})
