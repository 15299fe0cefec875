import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import type { ObjectStore } from '../../src/files/object-store.ts'
import { openObjectStore } from '../../src/files/open-object-store.ts'
import { startS3Server } from '../support/s3-server.ts'
import type { S3Server } from '../support/s3-server.ts'

/** What holds wherever files are kept, and what only a bucket can do. */

type OpenStore = AsyncDisposable & {
  store: ObjectStore
  /** How many objects there are, and halves of them. */
  count(): Promise<number>
}

const MEGABYTE = 1024 * 1024

describe('objects on disk', () => holds(openDisk))
describe('objects in a bucket', () => {
  holds(openBucket)
  describe('of S3', bucketHolds)
})

function holds(open: () => Promise<OpenStore>): void {
  test('are read as they were put, whole or in part, until they are deleted', async () => {
    await using house = await open()
    const { store } = house
    const { key, sizeBytes } = await store.put(pieces('Hello, ', '世界'))

    expect(sizeBytes).toBe(13)
    expect(await read(store, key)).toBe('Hello, 世界')
    expect(await read(store, key, { start: 7, end: 9 })).toBe('世')
    expect(await read(store, key, { start: 0, end: 0 })).toBe('H')
    await store.delete(key)
    await store.delete(key)
    expect(await store.open(key)).toBeUndefined()
    expect(await house.count()).toBe(0)
  })

  test('may be empty, and have names that nobody can guess', async () => {
    await using house = await open()
    const stored = await Promise.all(Array.from({ length: 5 }, () => house.store.put(pieces())))
    expect(stored.map(({ sizeBytes }) => sizeBytes)).toEqual([0, 0, 0, 0, 0])
    expect(new Set(stored.map(({ key }) => key)).size).toBe(5)
    for (const { key } of stored) expect(key).toMatch(/^[0-9a-f]{40}$/)
  })

  test.each([[MEGABYTE], [8 * MEGABYTE], [8 * MEGABYTE + 1], [21 * MEGABYTE]])('of %d bytes are stored byte for byte', async (size) => {
    await using house = await open()
    const { key, sizeBytes } = await house.store.put(numbers(size))
    const stored = await house.store.open(key)
    if (!stored) throw new Error('it is not there')
    const bytes = await buffer(stored)

    expect([sizeBytes, bytes.length]).toEqual([size, size])
    let at = 0
    for await (const chunk of numbers(size)) {
      if (!bytes.subarray(at, at + chunk.length).equals(chunk)) throw new Error(`another byte after ${at}`)
      at += chunk.length
    }
  })

  test.each([[0], [3], [30]])('whose source fails after %d MB are not there, nor any part of them', async (megabytes) => {
    await using house = await open()
    await expect(house.store.put(failing(megabytes))).rejects.toThrow('cut')
    expect(await house.count()).toBe(0)
  })

  test('are never reached by a key that a changed row made up', async () => {
    await using house = await open()
    for (const key of ['', '../../secret', 'a'.repeat(39), `${'a'.repeat(40)}/../../x`, 'A'.repeat(40)]) {
      await expect(house.store.open(key)).rejects.toThrow(RangeError)
      await expect(house.store.delete(key)).rejects.toThrow(RangeError)
    }
  })

  test('of which there is none with this key are missing', async () => {
    await using house = await open()
    expect(await house.store.open('a'.repeat(40))).toBeUndefined()
    await house.store.delete('a'.repeat(40))
  })

  test('can be stored now, says the store to its operator', async () => {
    await using house = await open()
    expect(await house.store.check()).toMatchObject({ kind: expect.stringMatching(/^(disk|s3)$/) })
  })
}

function bucketHolds(): void {
  const UNAVAILABLE = expect.objectContaining({ code: 'unavailable', message: expect.not.stringMatching(/secret|AKIATEST|127\.0\.0\.1/) })

  test('are unavailable while the server is away, and there again when it is back', async () => {
    await using house = await openBucket()
    const { store, server } = house
    const { key } = await store.put(pieces('kept'))
    await server.stop()
    await expect(store.put(pieces('lost'))).rejects.toEqual(UNAVAILABLE)
    await expect(store.put(numbers(20 * MEGABYTE))).rejects.toEqual(UNAVAILABLE)
    await expect(store.open(key)).rejects.toEqual(UNAVAILABLE)
    await expect(store.delete(key)).rejects.toEqual(UNAVAILABLE)
    await expect(store.check()).rejects.toThrow()

    await server.start()
    expect(await read(store, key)).toBe('kept')
    expect(await house.count()).toBe(1)
  })

  test.each([
    { status: 503, code: 'SlowDown' },
    { status: 500, code: 'InternalError' },
    { status: 403, code: 'AccessDenied' },
    { status: 404, code: 'NoSuchBucket' },
  ])('are unavailable where the server answers $code', async (failure) => {
    await using house = await openBucket()
    house.server.failure = failure
    await expect(house.store.put(pieces('x'))).rejects.toEqual(UNAVAILABLE)
    await expect(house.store.open('a'.repeat(40))).rejects.toEqual(UNAVAILABLE)
    await expect(house.store.check()).rejects.toThrow()
  })

  test.each([
    ['secret', { accessKeyId: 'AKIATEST', secretAccessKey: 'wrong' }, 'SignatureDoesNotMatch'],
    ['key', { accessKeyId: 'AKIAOTHER', secretAccessKey: 'wrong' }, 'InvalidAccessKeyId'],
  ])('are not given to who has a wrong %s', async (...[, credentials, code]) => {
    await using server = await startS3Server()
    const store = await openObjectStore({ s3: { ...server.settings, credentials }, dataDir: '' })
    await expect(store.put(pieces('x'))).rejects.toEqual(UNAVAILABLE)
    expect(server.refusals).toContain(`PUT ${code}`)
    expect(server.objects.size).toBe(0)
    store.close()
  })

  test('are asked for with signatures that fit', async () => {
    await using house = await openBucket()
    const { key } = await house.store.put(numbers(20 * MEGABYTE))
    await read(house.store, key, { start: 5, end: 9 })
    await house.store.check()
    await house.store.delete(key)
    expect(house.server.refusals).toEqual([])
  })
}

async function openDisk(): Promise<OpenStore> {
  const dataDir = await mkdtemp(join(tmpdir(), 'coze-plus-objects-'))
  return {
    store: await openObjectStore({ s3: undefined, dataDir }),
    count: async () => (await readdir(dataDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length,
    [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true }),
  }
}

async function openBucket(): Promise<OpenStore & { server: S3Server }> {
  const server = await startS3Server()
  const store = await openObjectStore({ s3: server.settings, dataDir: '' })
  return {
    ...{ store, server },
    count: async () => server.objects.size + server.uploads.size,
    async [Symbol.asyncDispose]() {
      store.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

async function read(store: ObjectStore, key: string, range?: { start: number; end: number }): Promise<string> {
  const bytes = await store.open(key, range)
  if (!bytes) throw new Error('it is not there')
  return text(bytes)
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of texts) yield Promise.resolve(Buffer.from(piece))
}

/** Every byte depends on its place. */
async function* numbers(size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += 65_521) {
    const length = Math.min(65_521, size - at)
    yield Promise.resolve(Buffer.alloc(length, at % 251))
  }
}

async function* failing(megabytes: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < megabytes; sent++) yield Promise.resolve(Buffer.alloc(MEGABYTE))
  throw new Error('cut')
}
