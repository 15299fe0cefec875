import { expect, test } from 'vitest'
import { outputOf, runProgram } from '../support/child-program.ts'
import { startS3Server } from '../support/s3-server.ts'
import type { S3Server } from '../support/s3-server.ts'
import { cozePlusCommand } from '../support/serve-process.ts'
import { startTestApp } from '../support/test-app.ts'

const MEGABYTE = 1024 * 1024

const envOf = ({ settings }: S3Server) => ({
  ...{ S3_BUCKET: settings.bucket, S3_REGION: settings.region, S3_ENDPOINT: settings.endpoint },
  ...{ S3_ACCESS_KEY_ID: settings.credentials.accessKeyId, S3_SECRET_ACCESS_KEY: settings.credentials.secretAccessKey },
})

function formOf(bytes: Uint8Array<ArrayBuffer>): FormData {
  const form = new FormData()
  form.append('file', new Blob([bytes]), 'large.bin')
  return form
}

test('files in a bucket are uploaded, linked and read; while it is away that is said everywhere, and chats go on', async () => {
  await using bucket = await startS3Server()
  await using app = await startTestApp({ env: envOf(bucket) })
  const bytes = new Uint8Array(12 * MEGABYTE).map((_, at) => at % 253)
  const upload = () => app.call('POST', '/v1/files/upload', formOf(bytes))
  const stored = await upload()
  expect(stored).toMatchObject({ status: 200, body: { data: { bytes: bytes.length } } })
  const link: string = stored.body.upload_url
  expect(Buffer.from(await (await fetch(link)).arrayBuffer()).equals(Buffer.from(bytes))).toBe(true)
  const part = await fetch(link, { headers: { range: 'bytes=9000000-9000002' } })
  expect([part.status, [...new Uint8Array(await part.arrayBuffer())]]).toEqual([206, [...bytes.subarray(9_000_000, 9_000_003)]])
  expect(bucket.objects.size).toBe(1)
  expect((await app.call('GET', '/readyz')).body).toEqual({ status: 'ready' })

  await bucket.stop()
  expect(await upload()).toMatchObject({ status: 503, body: { msg: expect.stringContaining('files cannot be reached now') } })
  expect((await fetch(link)).status).toBe(503)
  expect(await app.call('GET', '/readyz')).toMatchObject({ status: 200, body: { status: 'ready', weaknesses: ['files cannot be stored'] } })
  expect((await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi' })).status).toBe(200)

  await bucket.start()
  expect((await upload()).status).toBe(200)
  for (const text of [...app.logs, ...app.refusals]) expect(text).not.toContain(bucket.settings.credentials.secretAccessKey)
})

test('doctor looks at the bucket', async () => {
  await using bucket = await startS3Server()
  await using app = await startTestApp()
  const env = { DATA_DIR: app.dataDir, PORT: '0', MASTER_KEY: 'x', ...envOf(bucket) }
  expect(await outputOf(process.execPath, [cozePlusCommand, 'doctor'], { env })).toContain(
    'ok    files: bucket coze-plus-test can be reached',
  )

  await bucket.stop()
  const { exitCode, stdout } = await runProgram(process.execPath, [cozePlusCommand, 'doctor'], { env })
  expect([exitCode, stdout]).toEqual([
    1,
    expect.stringContaining('FAIL  files: bucket coze-plus-test cannot be reached: check S3_ENDPOINT'),
  ])
})
