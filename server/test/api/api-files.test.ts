import { describe, expect, test } from 'vitest'
import { ID, SECONDS } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

describe.each(testDatabases())('files on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const ask = (fileId: string) => {
    const content = JSON.stringify([
      { type: 'text', text: 'look' },
      { type: 'image', file_id: fileId },
    ])
    return app.call('POST', '/v3/chat', {
      bot_id: 123456,
      query: 'well?',
      additional_messages: [{ role: 'user', content, content_type: 'object_string' }],
    })
  }

  describe('works', () => {
    test('upload, look it up, ask about it, download it by its link without a key', async () => {
      const { status, body, headers } = await upload(app, { bytes: PNG, fileName: '点 1.png' })
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          code: 0,
          msg: '',
          data: {
            id: ID,
            bytes: PNG.length,
            file_name: '点 1.png',
            created_at: SECONDS,
            uri: `files/${body.file_id}`,
            url: body.upload_url,
          },
          detail: { logid: headers.get('x-tt-logid') },
          file_id: body.data.id,
          file_name: '点 1.png',
          file_size: PNG.length,
          file_type: 'image/png',
          upload_url: expect.stringMatching(new RegExp(`^${app.url}/v1/files/${body.data.id}/`)),
          created_at: SECONDS,
        },
      })

      const known = await app.call('GET', `/v1/files/retrieve?file_id=${body.file_id}`)
      expect(known.body.data).toMatchObject({ id: body.file_id, bytes: PNG.length, file_name: '点 1.png' })

      expect((await ask(body.file_id)).status).toBe(200)
      expect(app.provider.lastRequest.body.messages.at(-2)?.content).toEqual([
        { type: 'text', text: 'look' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG.toString('base64')}` } },
      ])

      for (const url of [body.upload_url, known.body.data.url]) {
        const download = await fetch(url)
        expect({ status: download.status, type: download.headers.get('content-type') }).toEqual({ status: 200, type: 'image/png' })
        expect(Buffer.from(await download.arrayBuffer())).toEqual(PNG)
      }
    })

    test('a multipart body under a JSON header, as the guide’s Python session sends it', async () => {
      const boundary = '0123456789abcdef0123456789abcdef'
      const body = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="note.txt"\r\n\r\nthe content\r\n--${boundary}--\r\n`
      const reply = await app.call('POST', '/v1/files/upload', body, { headers: { 'content-type': 'application/json' } })
      expect(reply.body).toMatchObject({ file_name: 'note.txt', file_size: 11, file_type: 'text/plain' })
      expect(await (await fetch(reply.body.upload_url)).text()).toBe('the content')
    })

    test('a file of several megabytes comes back as it went', async () => {
      const bytes = Buffer.alloc(6_000_000, 'abcdefghij')
      const { body } = await upload(app, { bytes, fileName: 'large.txt' })
      expect(body.file_size).toBe(bytes.length)
      expect(Buffer.from(await (await fetch(body.upload_url)).arrayBuffer()).equals(bytes)).toBe(true)
    })
  })

  describe('refuses bad input', () => {
    test('no file, an empty one, two, and none of multipart', async () => {
      const two = new FormData()
      for (const fileName of ['a', 'b']) two.append('file', new Blob(['x']), fileName)
      const other = new FormData()
      other.append('picture', new Blob(['x']), 'x')
      const refused = async (body: unknown) => app.call('POST', '/v1/files/upload', body)

      expectRefusal(await refused(new FormData()), { status: 422, message: /file/ })
      expectRefusal(await upload(app, { bytes: Buffer.alloc(0), fileName: 'empty' }), { status: 422, message: 'file is empty' })
      expectRefusal(await refused(two), { status: 422, message: 'send exactly one file' })
      expectRefusal(await refused(other), { status: 422, message: 'the part that holds the file must be named file' })
      expectRefusal(await refused({ file: 'x' }), { status: 422, message: 'send the file as multipart/form-data in a part named file' })
      expectRefusal(await refused(undefined), { status: 422, message: /^send the file as multipart/ })
    })

    test('a link with a wrong signature, or for another file', async () => {
      const { body } = await upload(app, { bytes: PNG, fileName: 'a.png' })
      const other = (await upload(app, { bytes: PNG, fileName: 'b.png' })).body
      const path = new URL(body.upload_url).pathname
      for (const wrong of [
        path.replace(/-[\w-]{5}/, '-AAAAA'),
        path.replace(body.file_id, other.file_id),
        `/v1/files/${body.file_id}/x/a.png`,
      ]) {
        expectRefusal(await app.call('GET', wrong), { status: 404, message: 'file not found' })
      }
    })

    test('an id that is none', async () => {
      expectRefusal(await app.call('GET', '/v1/files/retrieve'), { status: 422, message: 'file id is required' })
      expectRefusal(await app.call('GET', '/v1/files/retrieve?file_id=x'), { status: 422, message: /^file_id: must be a positive/ })
      expectRefusal(await app.call('GET', '/v1/files/retrieve?file_id=1'), { status: 404, message: 'file not found' })
      expectRefusal(await ask('1'), { status: 404, message: 'file not found' })
    })
  })

  describe('refuses the wrong key', () => {
    test('another user’s file can neither be looked up nor asked about', async () => {
      const { apiKey } = await app.makeUser()
      const theirs = (await upload(app, { bytes: PNG, fileName: 'theirs.png' }, apiKey)).body
      expectRefusal(await app.call('GET', `/v1/files/retrieve?file_id=${theirs.file_id}`), { status: 404, message: 'file not found' })
      expectRefusal(await ask(theirs.file_id), { status: 404, message: 'file not found' })
    })

    test('an upload without a key is refused, and nothing of it is kept', async () => {
      const before = await app.core.db.selectFrom('file').select('id').execute()
      expectRefusal(await upload(app, { bytes: PNG, fileName: 'a.png' }, ''), { status: 401, message: 'missing authorization in header' })
      expect(await app.core.db.selectFrom('file').select('id').execute()).toEqual(before)
    })
  })

  keepsItsSecrets(app)
})

function upload(app: TestApp, file: { bytes: Buffer; fileName: string }, apiKey = app.apiKey): Promise<Reply> {
  const form = new FormData()
  form.append('file', new Blob([Buffer.from(file.bytes)]), file.fileName)
  return app.call('POST', '/v1/files/upload', form, { apiKey })
}
