import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CozeAPI } from '@coze/api'
import axios from 'axios'
import { describe, expect, test } from 'vitest'
import { sendRaw, startFileServer } from '../../../test/support/file-server.ts'
import type { FileServer } from '../../../test/support/file-server.ts'

const KEY_OF_7 = { authorization: 'Bearer 7' }
const BOUNDARY = '0123456789abcdef0123456789abcdef'

describe('POST /v1/files/upload', () => {
  test('the guide’s TypeScript client uploads and reads every key the guide names', async () => {
    await using server = await startFileServer()
    const form = new FormData()
    form.append('file', new Blob([Buffer.from('%PDF-1.7 你好')]), '文档.pdf')
    const { data } = await axios.post(`${server.url}/v1/files/upload`, form, {
      headers: { ...KEY_OF_7, 'Content-Type': 'multipart/form-data' },
    })

    const [row] = await server.rows()
    const id = String(row?.id)
    const url = expect.stringMatching(new RegExp(`^http://files\\.test/base/v1/files/${id}/[\\w-]+/%E6%96%87%E6%A1%A3\\.pdf$`))
    const created_at = server.time.now / 1000
    expect(data).toEqual({
      code: 0,
      msg: '',
      data: { id, bytes: 15, file_name: '文档.pdf', created_at, uri: `files/${id}`, url },
      file_id: id,
      file_name: '文档.pdf',
      file_size: 15,
      file_type: 'application/pdf',
      upload_url: url,
      created_at,
      detail: { logid: expect.any(String) },
    })
    expect(row).toMatchObject({ owner_id: 7, size_bytes: 15 })
  })

  test('the official JavaScript SDK uploads and retrieves', async () => {
    await using server = await startFileServer()
    const coze = new CozeAPI({ baseURL: server.url, token: '7' })
    const path = join(server.dataDir, 'hello.txt')
    await writeFile(path, 'hello')
    const uploaded = await coze.files.upload({ file: createReadStream(path) })

    expect(uploaded).toMatchObject({
      id: expect.stringMatching(/^\d+$/),
      bytes: 5,
      file_name: 'hello.txt',
      created_at: server.time.now / 1000,
    })
    expect(await coze.files.retrieve(uploaded.id)).toMatchObject({ id: uploaded.id, bytes: 5, file_name: 'hello.txt' })
  })

  test('the guide’s Python client, whose session says that everything is JSON', async () => {
    await using server = await startFileServer()
    const answer = await upload(server, { type: 'application/json', body: pythonBody('报告.txt', '你好\r\n--not the boundary\r\n') })

    expect(answer).toMatchObject({ status: 200, body: { file_name: '报告.txt', file_type: 'text/plain', file_size: 28 } })
    expect(await linkedText(server, answer.body)).toBe('你好\r\n--not the boundary\r\n')
  })

  test.each(['', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'multipart/form-data; charset=utf-8'])(
    'the boundary is found in the body when the header (%s) does not name it',
    async (type) => {
      await using server = await startFileServer()

      expect(await upload(server, { type, body: pythonBody('a.txt', 'a') })).toMatchObject({ status: 200, body: { file_size: 1 } })
    },
  )

  test.each([
    ['../../x', 'x'],
    ['C:\\\\dir\\\\x.txt', 'x.txt'],
    ['a\u0001\u202eb.txt', 'ab.txt'],
    [`${'n'.repeat(300)}.txt`, `${'n'.repeat(251)}.txt`],
    ['中文 名.md', '中文 名.md'],
    ['CON', 'CON'],
    ['.', 'file'],
    ['..', 'file'],
    ['', 'file'],
  ])('a file named %j is stored as %j', async (sent, kept) => {
    await using server = await startFileServer()
    const answer = await upload(server, { type: `multipart/form-data; boundary=${BOUNDARY}`, body: pythonBody(sent, 'x') })

    expect(answer).toMatchObject({ status: 200, body: { file_name: kept } })
    expect(await server.objectsOnDisk()).toEqual([expect.stringMatching(/^[0-9a-f]{40}$/)])
    expect(await linkedText(server, answer.body)).toBe('x')
  })

  test('JSON bodies elsewhere are still JSON', async () => {
    await using server = await startFileServer()

    expect((await axios.post(`${server.url}/json`, { a: 1 })).data).toEqual({ got: { a: 1 } })
  })
})

describe('GET /v1/files/retrieve', () => {
  test('answers the owner, by GET and by POST', async () => {
    await using server = await startFileServer()
    const { body } = await upload(server, { body: pythonBody('a.txt', 'a') })
    const id = body.file_id

    for (const method of ['GET', 'POST']) {
      const response = await fetch(`${server.url}/v1/files/retrieve?file_id=${id}`, { method, headers: KEY_OF_7 })
      expect(await response.json()).toMatchObject({
        code: 0,
        msg: '',
        data: { id, bytes: 1, file_name: 'a.txt', created_at: server.time.now / 1000 },
      })
    }
  })

  test.each([
    ['another user’s file', 'Bearer 8', (id: string) => id, 404, 'file not found'],
    ['a file that does not exist', 'Bearer 7', () => '1', 404, 'file not found'],
    ['an id that is none', 'Bearer 7', () => 'abc', 422, expect.stringContaining('file_id')],
    ['an empty id', 'Bearer 7', () => '', 422, 'file id is required'],
  ])('refuses %s', async (...[, authorization, toId, status, message]) => {
    await using server = await startFileServer()
    const { body } = await upload(server, { body: pythonBody('a.txt', 'a') })
    const url = `${server.url}/v1/files/retrieve?file_id=${toId(body.file_id)}`

    const response = await axios.get(url, { headers: { authorization }, validateStatus: () => true })
    expect([response.status, response.data.msg]).toEqual([status, message])
  })
})

/** As python-requests writes it: no Content-Type in the part. */
function pythonBody(name: string, content: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n${content}\r\n--${BOUNDARY}--\r\n`
}

async function upload(server: FileServer, { type = 'application/json', body }: { type?: string; body: string }) {
  const header = type && `Content-Type: ${type}\r\n`
  const head = `POST /v1/files/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 7\r\n${header}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  const answer = await sendRaw(server, [head, body])
  expect(server.unexpected).toEqual([])
  return { status: answer.status, body: answer.body as { file_id: string; upload_url: string } }
}

async function linkedText(server: FileServer, { upload_url }: { upload_url: string }): Promise<string> {
  return (await fetch(server.local(upload_url))).text()
}
