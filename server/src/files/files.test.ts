import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { TestDatabase } from '../../test/support/test-databases.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { createDiskObjectStore } from './disk-object-store.ts'
import { MAX_MODEL_FILE_BYTES, MAX_MODEL_TEXT_BYTES, resolveFileForModel } from './file-for-model.ts'
import { findFile, insertFile } from './file-store.ts'
import { getFile, openFile, uploadFile } from './files.ts'

const NOW = Date.UTC(2026, 0, 2)
const OWNER = { userId: '7' }
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

describe.each(testDatabases())('files on $name', ({ open }) => {
  test('an uploaded file is its owner’s, under a clean name and its own type', async () => {
    await using files = await make(open)
    const uploaded = await uploadFile(files, OWNER, { name: '../图.html', stream: once(PNG) })

    expect(uploaded).toMatchObject({ ownerId: '7', name: '图.html', sizeBytes: PNG.length, mime: 'image/png', createdAt: NOW })
    expect(await getFile(files, OWNER, uploaded.id)).toEqual(uploaded)
    expect(await text(await openFile(files, uploaded))).toBe(PNG.toString())
  })

  test('another owner’s file and a missing one are the same: not found', async () => {
    await using files = await make(open)
    const { id } = await uploadFile(files, OWNER, { name: 'a.txt', stream: once('a') })

    await expect(getFile(files, { userId: '8' }, id)).rejects.toMatchObject({ code: 'not_found', message: 'file not found' })
    await expect(getFile(files, OWNER, '1')).rejects.toMatchObject({ code: 'not_found', message: 'file not found' })
  })

  test('ids, sizes and names of any length and script come back exactly', async () => {
    await using files = await make(open)
    const file = {
      id: '9223372036854775807',
      ownerId: '9007199254740993',
      name: '😀'.repeat(127),
      sizeBytes: 2 ** 40,
      mime: 'text/plain',
      objectKey: 'k',
      createdAt: NOW,
    }
    await insertFile(files.db, file)

    expect(await findFile(files.db, file.id)).toEqual(file)
    expect(await findFile(files.db, '9223372036854775806')).toBeUndefined()
  })

  test.each([
    ['an empty file', () => once(''), { code: 'invalid_request', message: 'file is empty' }],
    ['a file over the limit', () => once('x'.repeat(1001)), { code: 'too_large', message: 'the file is larger than 1000 bytes' }],
    ['an upload that is cut off', () => cut(), { message: 'cut' }],
  ])('%s leaves no row and no bytes', async (_story, stream, expected) => {
    await using files = await make(open, 1000)

    await expect(uploadFile(files, OWNER, { name: 'a', stream: stream() })).rejects.toMatchObject(expected)
    expect(await files.db.selectFrom('file').selectAll().execute()).toEqual([])
    expect(await files.onDisk()).toBe(0)
  })

  test('a row that cannot be written leaves no bytes', async () => {
    await using files = await make(open)
    await uploadFile(files, OWNER, { name: 'a', stream: once('a') })
    const sameId = { ...files, nextId: () => files.lastId() }

    await expect(uploadFile(sameId, OWNER, { name: 'b', stream: once('b') })).rejects.toThrow()
    expect(await files.onDisk()).toBe(1)
  })
})

describe.each(testDatabases().slice(0, 1))('a file for a model', ({ open }) => {
  test('a picture comes as a data URL, a document too, a text as text', async () => {
    await using files = await make(open)
    const give = async (name: string, bytes: string | Buffer) =>
      resolveFileForModel(files, OWNER, (await uploadFile(files, OWNER, { name, stream: once(bytes) })).id)

    expect(await give('a.png', PNG)).toEqual({
      kind: 'image',
      name: 'a.png',
      mime: 'image/png',
      sizeBytes: PNG.length,
      url: `data:image/png;base64,${PNG.toString('base64')}`,
    })
    expect(await give('a.pdf', '%PDF-1.7')).toMatchObject({ kind: 'file', name: 'a.pdf', url: 'data:application/pdf;base64,JVBERi0xLjc=' })
    expect(await give('a.md', '# 你好')).toEqual({
      kind: 'text',
      name: 'a.md',
      mime: 'text/markdown',
      sizeBytes: 8,
      text: '# 你好',
      truncated: false,
    })
  })

  test('a long text is cut between characters and says so; a large picture is refused with the limit', async () => {
    await using files = await make(open, 20 * 1024 * 1024)
    const long = await uploadFile(files, OWNER, { name: 'a.txt', stream: once('中'.repeat(100_000)) })
    const large = await uploadFile(files, OWNER, { name: 'a.png', stream: once(Buffer.concat([PNG, Buffer.alloc(MAX_MODEL_FILE_BYTES)])) })

    expect(await resolveFileForModel(files, OWNER, long.id)).toMatchObject({
      text: '中'.repeat(Math.floor(MAX_MODEL_TEXT_BYTES / 3)),
      truncated: true,
    })
    await expect(resolveFileForModel(files, OWNER, large.id)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('8 MB'),
    })
  })

  test('is refused to anyone but its owner', async () => {
    await using files = await make(open)
    const { id } = await uploadFile(files, OWNER, { name: 'a.txt', stream: once('a') })

    await expect(resolveFileForModel(files, { userId: '8' }, id)).rejects.toMatchObject({ code: 'not_found' })
  })
})

async function make(open: TestDatabase['open'], maxUploadBytes = 1024 * 1024) {
  const db = await open()
  const directory = await mkdtemp(join(tmpdir(), 'coze-plus-files-'))
  const next = createSnowflake(1, () => NOW)
  let last = ''
  return {
    db,
    objects: await createDiskObjectStore(directory),
    nextId: () => (last = next()),
    lastId: () => last,
    clock: () => NOW,
    limits: { maxUploadBytes },
    onDisk: async () => (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length,
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}

async function* once(bytes: string | Buffer): AsyncGenerator<Uint8Array> {
  yield Promise.resolve(Buffer.from(bytes))
}

async function* cut(): AsyncGenerator<Uint8Array> {
  yield Promise.resolve(Buffer.alloc(900))
  throw new Error('cut')
}
