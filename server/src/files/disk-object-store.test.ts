import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createDiskObjectStore } from './disk-object-store.ts'

test('what was put is read back, whole or in part, until it is deleted', async () => {
  await using directory = await temporaryDirectory()
  const store = await createDiskObjectStore(directory.path)
  const { key, sizeBytes } = await store.put(pieces('Hello, ', '世界'))

  expect(sizeBytes).toBe(13)
  expect(await read(store.open(key))).toBe('Hello, 世界')
  expect(await read(store.open(key, { start: 7, end: 9 }))).toBe('世')
  expect(await filesBelow(directory.path)).toEqual([join(key.slice(0, 2), key.slice(2, 4), key)])

  await store.delete(key)
  await store.delete(key)
  expect(await store.open(key)).toBeUndefined()
  expect(await filesBelow(directory.path)).toEqual([])
})

test('a source that fails leaves nothing behind', async () => {
  await using directory = await temporaryDirectory()
  const store = await createDiskObjectStore(directory.path)

  await expect(store.put(failing())).rejects.toThrow('cut')
  for (let round = 0; round < 20; round++) await expect(store.put(failing(0))).rejects.toThrow('cut')
  expect(await filesBelow(directory.path)).toEqual([])
})

test('a key from a changed row reaches no other file', async () => {
  await using directory = await temporaryDirectory()
  const store = await createDiskObjectStore(join(directory.path, 'files'))
  await writeFile(join(directory.path, 'secret'), 'secret')

  await expect(store.open('../../secret')).rejects.toThrow(RangeError)
  await expect(store.delete(`${'a'.repeat(40)}/../../../secret`)).rejects.toThrow(RangeError)
})

test('the remains of a crash are removed at a later start, a running upload is not', async () => {
  await using directory = await temporaryDirectory()
  const incoming = join(directory.path, 'incoming')
  await mkdir(incoming)
  await writeFile(join(incoming, 'old'), 'x')
  await writeFile(join(incoming, 'young'), 'x')
  const twoDaysAgo = new Date(Date.now() - 48 * 60 * 60 * 1000)
  await utimes(join(incoming, 'old'), twoDaysAgo, twoDaysAgo)

  await createDiskObjectStore(directory.path)
  expect(await readdir(incoming)).toEqual(['young'])
})

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'coze-plus-objects-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
}

async function read(opened: Promise<NodeJS.ReadableStream | undefined>): Promise<string | undefined> {
  const bytes = await opened
  return bytes && text(bytes)
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of texts) yield Promise.resolve(Buffer.from(piece))
}

async function* failing(chunks = 3): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < chunks; sent++) yield Promise.resolve(Buffer.alloc(100_000))
  throw new Error('cut')
}
