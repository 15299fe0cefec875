import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { answers, calls, says, saysForever } from '../support/fake-provider.ts'
import { openStream } from '../support/live-stream.ts'
import { STARTS_MS, cannotRunCluster, startNodeCluster } from '../support/node-cluster.ts'
import type { ClusterNode, NodeCluster } from '../support/node-cluster.ts'
import { STYLES, chatPath, cursorOf, openChat, readInPieces, resumeChat } from '../support/resumed-stream.ts'
import { deltaText, eventNames } from '../support/sse-frames.ts'

const WORDS = Array.from({ length: 40 }, (_, at) => `word${at} `)

/** Two real servers on one MariaDB and one Redis. */
describe.skipIf(cannotRunCluster())('runs of a cluster', () => {
  let cluster: NodeCluster
  let one: ClusterNode
  let two: ClusterNode
  beforeAll(async () => {
    cluster = await startNodeCluster()
    ;[one, two] = cluster.nodes
    return () => cluster[Symbol.asyncDispose]()
  }, STARTS_MS)

  test.each(STYLES)('%s-style: a stream that is cut goes on on the other node, with every event once', async (style) => {
    cluster.provider.script = answers(WORDS, { delayMs: 15 })
    await using stream = await openChat(one, style)
    await stream.until((frames) => deltaText(frames).length > 20)
    const chat = stream.frames[0]?.data
    const pieces = await Promise.all([[1], [3, 5, 2], [10, 10]].map((cuts) => readInPieces(two, chat, { style, cuts })))
    await stream.ended

    for (const text of pieces) expect(text).toBe(stream.text)
    expect(deltaText(stream.frames)).toBe(WORDS.join(''))
  })

  test('deltas come to a reader on the other node while the model speaks', async () => {
    cluster.provider.script = answers(WORDS, { delayMs: 25 })
    await using stream = await openChat(one, 'guide')
    await stream.until((frames) => frames.length > 0)
    await using follower = await resumeChat(two, stream.frames[0]?.data, { style: 'guide', cursor: 0 })
    const behind: number[] = []
    while (cursorOf(stream.frames) < WORDS.length - 2) {
      await sleep(20)
      behind.push(cursorOf(stream.frames) - cursorOf(follower.frames))
    }
    expect(await follower.ended).toEqual(await stream.ended)

    const middle = behind.slice(5).toSorted((a, b) => a - b)[Math.floor((behind.length - 5) / 2)] ?? 0
    console.info(`the other node is ${middle} deltas of 25 ms behind in the middle, ${Math.max(...behind.slice(5))} at most`)
    // who is not woken looks once a second, which is forty
    expect(middle).toBeLessThan(20)
  })

  test('a chat is canceled on the other node: no token follows, and what came is kept', async () => {
    cluster.provider.script = saysForever('word ', { delayMs: 2 })
    const streams = await Promise.all(Array.from({ length: 5 }, () => openChat(one, 'guide')))
    await Promise.all(streams.map((stream) => stream.until((frames) => deltaText(frames).length > 50)))
    const began = performance.now()
    const canceled = await Promise.all(
      streams.map(({ frames }) => {
        const chat = frames[0]?.data
        return two.call('POST', '/v3/chat/cancel', { conversation_id: chat.conversation_id, chat_id: chat.id })
      }),
    )
    console.info(`5 chats are canceled on the other node in ${Math.round(performance.now() - began)} ms`)

    expect(canceled.map(({ status, body }) => [status, body.data?.status])).toEqual(streams.map(() => [200, 'canceled']))
    await expect.poll(() => cluster.provider.open).toBe(0)
    const written = cluster.provider.tokensWritten
    for (const stream of streams) {
      const frames = await stream.ended
      expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])
      const messages = (await two.call('GET', chatPath(frames[0]?.data, '/v3/chat/message/list'))).body.data
      expect(messages[0]).toMatchObject({ content: deltaText(frames), meta_data: { incomplete: 'canceled' } })
    }
    expect(cluster.provider.tokensWritten).toBe(written)
  })

  test('if_busy: interrupt on the other node takes the place of what runs', async () => {
    cluster.provider.script = saysForever('word ', { delayMs: 5 })
    await using stream = await openChat(one, 'guide', { conversation_id: 'shared' })
    await stream.until((frames) => deltaText(frames) !== '')
    cluster.provider.script = says('instead')
    const body = { bot_id: 123456, query: 'stop', conversation_id: 'shared' }
    expect((await two.call('POST', '/v3/chat', body)).status).toBe(409)
    const next = await two.call('POST', '/v3/chat', { ...body, if_busy: 'interrupt' })

    expect([next.status, next.body.message?.content]).toEqual([200, 'instead'])
    expect(eventNames(await stream.ended).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])
  })

  test('a chat that waits for its caller goes on on the other node', async () => {
    cluster.provider.script = [answers(['Let me look. ', calls('clock', {}, 'call_1')]), says('It is late')]
    const tools = [{ type: 'function', function: { name: 'clock' } }]
    const { data } = (await one.call('POST', '/v3/chat', { bot_id: 123456, query: 'time?', tools })).body
    expect(data.status).toBe('requires_action')

    const outputs = { tool_outputs: [{ tool_call_id: 'call_1', output: 'ten' }], stream: true }
    await using stream = await openStream(two, outputs, { path: chatPath(data, '/v3/chat/submit_tool_outputs') })
    expect(deltaText(await stream.ended)).toBe('It is late')
  })

  test('a key that is revoked on one node is refused on the other within a second', async () => {
    const headers = { cookie: await one.signIn('admin@example.com') }
    const post = (path: string, body: object) => one.call('POST', `/api/permission_api/pat/${path}`, body, { apiKey: '', headers })
    const { api_key: apiKey, id } = (await post('create_personal_access_token_and_permission', { name: 'x', expire: 0 })).body
    const ask = async () => (await two.call('GET', '/v1/bots/123456', undefined, { apiKey })).status
    expect(await ask()).toBe(200)
    expect((await post('delete_personal_access_token_and_permission', { id })).status).toBe(200)
    await expect.poll(ask, { timeout: 1_500, interval: 50 }).toBe(401)
  })
})
