import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { answers, says } from '../support/fake-provider.ts'
import { STARTS_MS, cannotRunCluster, startNodeCluster } from '../support/node-cluster.ts'
import type { ClusterNode, NodeCluster } from '../support/node-cluster.ts'
import { chatPath, cursorOf, openChat, resumeChat } from '../support/resumed-stream.ts'
import { deltaText, eventNames } from '../support/sse-frames.ts'

const WORDS = Array.from({ length: 60 }, (_, at) => `word${at} `)
const QUESTION = { bot_id: 123456, query: 'hi' }

describe.skipIf(cannotRunCluster())('a cluster that loses', () => {
  let cluster: NodeCluster
  let one: ClusterNode
  let two: ClusterNode
  beforeAll(async () => {
    cluster = await startNodeCluster()
    ;[one, two] = cluster.nodes
    return () => cluster[Symbol.asyncDispose]()
  }, STARTS_MS)

  test('Redis: chats go on, are followed and canceled on the other node, and it heals', async () => {
    cluster.provider.script = answers(WORDS, { delayMs: 30 })
    await using stream = await openChat(one, 'guide')
    await stream.until((frames) => deltaText(frames) !== '')
    await using follower = await resumeChat(two, stream.frames[0]?.data, { style: 'guide', cursor: 0 })
    await cluster.redis.kill()
    expect(deltaText(await follower.ended)).toBe(WORDS.join(''))
    expect(follower.text).toBe(stream.text)

    await using second = await openChat(one, 'guide')
    await second.until((frames) => deltaText(frames) !== '')
    const chat = second.frames[0]?.data
    const { status, body } = await two.call('POST', '/v3/chat/cancel', { conversation_id: chat.conversation_id, chat_id: chat.id })
    expect([status, body.data?.status]).toEqual([200, 'canceled'])
    expect(eventNames(await second.ended).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])

    await cluster.redis.start()
    cluster.provider.script = says('healed')
    expect((await two.call('POST', '/v3/chat', QUESTION)).body.message.content).toBe('healed')
  })

  test('its database: 503 and when to come back, then it goes on, and no chat is lost', { timeout: 60_000 }, async () => {
    cluster.provider.script = answers(WORDS, { delayMs: 30 })
    await using stream = await openChat(one, 'guide')
    await stream.until((frames) => deltaText(frames).length > 50)
    await cluster.mariadb.kill()
    // what was read is believed for a second
    await sleep(1_100)
    for (const node of [one, two]) {
      const refused = await node.call('POST', '/v3/chat', QUESTION)
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)])
      expect(refused.body).toMatchObject({ code: expect.any(Number), msg: expect.stringContaining('try again') })
      expect((await node.call('GET', '/readyz')).status).toBe(503)
    }
    // longer than a node may be silent: after it nobody takes the others for dead
    await sleep(9_000)
    await cluster.mariadb.start()
    for (const node of [one, two]) await expect.poll(async () => (await node.call('GET', '/readyz')).status).toBe(200)

    const frames = await stream.ended
    expect(deltaText(frames)).toBe(WORDS.join(''))
    expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.completed', 'done'])
    const chat = frames[0]?.data
    expect((await two.call('GET', chatPath(chat, '/v3/chat/retrieve'))).body.data.status).toBe('completed')
    await using again = await resumeChat(two, chat, { style: 'guide', cursor: cursorOf(frames.slice(0, 10)) })
    expect(deltaText(await again.ended)).toBe(deltaText(frames.slice(10)))
    cluster.provider.script = says('healed')
    expect((await one.call('POST', '/v3/chat', QUESTION)).body.message.content).toBe('healed')
  })
})
