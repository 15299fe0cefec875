import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobQueue } from '../../src/cluster/job-queue.ts'
import { openJobQueue } from '../../src/cluster/open-job-queue.ts'
import { startProgram } from '../support/child-program.ts'
import { cannotRun } from '../support/find-program.ts'
import { startRedis } from '../support/redis-server.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { repositoryRoot } from '../support/serve-process.ts'

/** What holds for every job queue, and what only one that processes share can do. */

type OpenQueue = JobQueue & AsyncDisposable & { errors: string[] }
type QueueSettings = { name?: string; atOnce?: number; url?: string }

/** A test that fails may leave a job that never ends. */
const DISPOSE_MS = 3_000

let redis: RedisServer
let names = 0
const newName = () => `queue-${++names}`
const hasNoRedis = cannotRun('redis-server', 'redis-cli')

beforeAll(async () => {
  if (!hasNoRedis) redis = await startRedis()
})
afterAll(() => (hasNoRedis ? undefined : redis[Symbol.asyncDispose]()))

async function open(url: string | undefined, { name = newName(), atOnce = 3 }: QueueSettings = {}): Promise<OpenQueue> {
  const errors: string[] = []
  const queue = await openJobQueue(url, { name, atOnce, onError: (cause) => errors.push(String(cause)) })
  return Object.assign(queue, { errors, [Symbol.asyncDispose]: () => Promise.race([queue.close(), sleep(DISPOSE_MS)]) })
}

const ids = (count: number) => Array.from({ length: count }, (_, at) => String(at + 1))

describe('a job queue in memory', () => holds(() => open(undefined)))

describe.skipIf(hasNoRedis)('a job queue in Redis', () => {
  holds(() => open(redis.url))
  describe('that processes share', shares)
  describe('whose Redis', outlives)
})

function holds(openOne: () => Promise<OpenQueue>): void {
  test('handles each job once, the oldest first', async () => {
    await using queue = await openOne()
    const handled: string[] = []
    for (const id of ids(50)) queue.add(id)
    queue.start(async (id) => void handled.push(id))
    await expect.poll(() => handled.length).toBe(50)
    queue.add('51')
    await expect.poll(() => handled.length).toBe(51)
    expect(handled).toEqual(ids(51))
    expect(queue.errors).toEqual([])
  })

  test('handles no more at once than it may', async () => {
    await using queue = await openOne()
    const running = { now: 0, most: 0, ended: 0 }
    queue.start(async () => {
      running.most = Math.max(running.most, ++running.now)
      await sleep(20)
      running.now--
      running.ended++
    })
    for (const id of ids(20)) queue.add(id)
    await expect.poll(() => running.ended).toBe(20)
    expect(running.most).toBe(3)
  })

  test('goes on after a job that failed, and tells of it', async () => {
    await using queue = await openOne()
    const handled: string[] = []
    queue.start(async (id) => {
      if (id === '2') throw new Error('job 2 is broken')
      handled.push(id)
    })
    for (const id of ids(3)) queue.add(id)
    await expect.poll(() => handled).toEqual(['1', '3'])
    expect(queue.errors).toEqual(['Error: job 2 is broken'])
  })

  test('takes a job that is waiting or being handled only once, and once more when it is done', async () => {
    await using queue = await openOne()
    const handled: string[] = []
    const gate = Promise.withResolvers()
    queue.start(async (id) => {
      handled.push(id)
      await gate.promise
    })
    for (const id of ['1', '2', '3', '4', '1', '4']) queue.add(id)
    await expect.poll(() => handled.length).toBe(3)
    for (const id of ['1', '4']) queue.add(id)
    await sleep(100)
    gate.resolve(undefined)
    await expect.poll(() => handled.length).toBe(4)
    await sleep(100)
    queue.add('1')
    await expect.poll(() => handled).toEqual(['1', '2', '3', '4', '1'])
  })

  test('that closes takes nothing more, and lets what it has taken come to its end', async () => {
    await using queue = await openOne()
    const [begun, ended]: [string[], string[]] = [[], []]
    const gate = Promise.withResolvers()
    queue.start(async (id) => {
      begun.push(id)
      await gate.promise
      ended.push(id)
    })
    for (const id of ids(10)) queue.add(id)
    await expect.poll(() => begun.length).toBe(3)

    const closed = queue.close().then(() => [...ended])
    queue.add('11')
    await sleep(100)
    expect(ended).toEqual([])
    gate.resolve(undefined)
    expect(await closed).toEqual(['1', '2', '3'])
    await sleep(100)
    expect(begun).toEqual(['1', '2', '3'])
    expect(queue.errors).toEqual([])
  })

  test('closes though it was never started', async () => {
    const queue = await openOne()
    queue.add('1')
    await queue.close()
    expect(queue.errors).toEqual([])
  })
}

function shares(): void {
  test('spreads its jobs: each is handled by one of them', async () => {
    const name = newName()
    await using one = await open(redis.url, { name })
    await using other = await open(redis.url, { name })
    const handled: Record<string, string[]> = { one: [], other: [] }
    one.start(async (id) => void (handled.one?.push(id), await sleep(5)))
    other.start(async (id) => void (handled.other?.push(id), await sleep(5)))
    for (const id of ids(100)) one.add(id)
    await expect.poll(() => Object.values(handled).flat().length).toBe(100)
    await sleep(100)
    expect(new Set(Object.values(handled).flat()).size).toBe(100)
    expect(Math.min(...Object.values(handled).map(({ length }) => length))).toBeGreaterThan(20)
  })

  test('leaves to the others what a closing process has not begun', async () => {
    const name = newName()
    const one = await open(redis.url, { name })
    const gate = Promise.withResolvers()
    const handled: string[] = []
    one.start(async (id) => {
      handled.push(id)
      await gate.promise
    })
    for (const id of ids(10)) one.add(id)
    await expect.poll(() => handled.length).toBe(3)
    const closed = one.close()

    await using other = await open(redis.url, { name })
    other.start(async (id) => void handled.push(id))
    await expect.poll(() => handled).toEqual(ids(10))
    gate.resolve(undefined)
    await closed
    expect(await redis.call('keys', `coze-plus:${name}:job-*`)).toBe('')
  })

  test('gets a job back that reaches a process when it is closing', async () => {
    const name = newName()
    const closing = await open(redis.url, { name })
    const gate = Promise.withResolvers()
    const handled: string[] = []
    closing.start(async (id) => {
      handled.push(id)
      await gate.promise
    })
    closing.add('1')
    await expect.poll(() => handled).toEqual(['1'])
    // by then it waits for the next job
    await sleep(300)
    const closed = closing.close()

    await using other = await open(redis.url, { name })
    other.add('2')
    await sleep(300)
    other.start(async (id) => void handled.push(id))
    await expect.poll(() => handled).toEqual(['1', '2'])
    gate.resolve(undefined)
    await closed
  })

  test('gives the job of a process that was killed to another one', { timeout: 60_000 }, async () => {
    const name = newName()
    const script = `
      import { openJobQueue } from ${JSON.stringify(join(repositoryRoot, 'server/src/cluster/open-job-queue.ts'))}
      const queue = await openJobQueue(${JSON.stringify(redis.url)}, { name: ${JSON.stringify(name)}, atOnce: 1, onError: console.error })
      queue.start((id) => new Promise(() => console.log('begun ' + id)))`
    await using dying = startProgram(process.execPath, ['--input-type=module', '--eval', script], { cwd: repositoryRoot })
    await using other = await open(redis.url, { name })
    other.add('1')
    await dying.untilPrinted('begun 1')
    await dying.stop('SIGKILL')

    const handled: string[] = []
    other.start(async (id) => void handled.push(id))
    // its claim expires after 15 s; nobody has to wait for that here
    await redis.call('del', `coze-plus:${name}:job-1:lock`)
    await expect.poll(() => handled, { timeout: 30_000 }).toEqual(['1'])
  })
}

function outlives(): void {
  test('is away handles its jobs by itself, and shares them again when it is back', async () => {
    await using own = await startRedis()
    const name = newName()
    await using one = await open(own.url, { name })
    await using other = await open(own.url, { name })
    const handled: Record<string, string[]> = { one: [], other: [] }
    one.start(async (id) => void handled.one?.push(id))
    one.add('1')
    await expect.poll(() => handled.one).toEqual(['1'])

    await own.kill()
    await expect.poll(() => one.errors.length).toBe(1)
    for (const id of ['2', '3']) one.add(id)
    await expect.poll(() => handled.one).toEqual(['1', '2', '3'])

    await own.start()
    other.start(async (id) => void handled.other?.push(id))
    let next = 4
    await expect.poll(() => one.add(String(next++)) ?? handled.other?.length).toBeGreaterThan(0)
    expect([...one.errors, ...other.errors].length).toBe(2)
  })

  test('was never there is no reason not to start, to work and to close', async () => {
    await using gone = await startRedis()
    await gone.kill()
    const queue = await open(gone.url)
    const handled: string[] = []
    queue.start(async (id) => void handled.push(id))
    for (const id of ids(10)) queue.add(id)
    await expect.poll(() => handled).toEqual(ids(10))
    await sleep(1_000)
    expect(queue.errors).toEqual([expect.stringContaining('(ECONNREFUSED)')])
    await queue.close()
  })

  test('does not know the password is told of once, without the password', async () => {
    await using own = await startRedis({ password: 'sesame' })
    await using known = await open(own.url)
    await using wrong = await open(own.url.replace('sesame', 'hush'))
    const handled: string[] = []
    for (const queue of [known, wrong]) {
      queue.start(async (id) => void handled.push(id))
      queue.add('1')
    }
    await expect.poll(() => handled).toEqual(['1', '1'])
    await sleep(1_000)
    expect(known.errors).toEqual([])
    expect(wrong.errors).toEqual([expect.stringContaining('(WRONGPASS)')])
    expect(wrong.errors.join()).not.toContain('hush')
  })

  test('refuses to write is left alone for a while', async () => {
    await using own = await startRedis()
    await using queue = await open(own.url)
    const handled = new Set<string>()
    const gate = Promise.withResolvers()
    queue.start(async (id) => {
      handled.add(id)
      await gate.promise
    })
    for (const id of ids(9)) queue.add(id)
    await expect.poll(() => handled.size).toBe(3)
    await own.call('config', 'set', 'min-replicas-to-write', '1')
    await own.call('config', 'resetstat')
    gate.resolve(undefined)
    queue.add('10')
    await expect.poll(() => [...handled]).toEqual(['1', '2', '3', '10'])
    await sleep(2_000)
    const [, commands = '0'] = /total_commands_processed:(\d+)/.exec(await own.call('info', 'stats')) ?? []
    expect(Number(commands)).toBeLessThan(200)
    expect(queue.errors).toEqual([expect.stringContaining('(NOREPLICAS)')])

    await own.call('config', 'set', 'min-replicas-to-write', '0')
    await expect.poll(() => handled.size).toBe(10)
  })
}
