import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startTestApp } from '../support/test-app.ts'

const MEGABYTE = 1024 * 1024
const QUESTION = { bot_id: 123456, query: 'hi' }

/** A disk of its own that is soon full; undefined where this user cannot have one. */
function mountSmallDisk(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'coze-plus-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dir], { stdio: 'ignore' })
  } catch {
    rmSync(dir, { recursive: true })
    return undefined
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', dir])
    rmSync(dir, { recursive: true })
  })
  return dir
}

test(
  'a disk that is full is a 503 that says so, and what was stored is there when there is space again',
  { timeout: 60_000 },
  async (context) => {
    const dir = mountSmallDisk()
    // only root may mount
    if (dir === undefined) return context.skip()
    await using app = await startTestApp({ env: { DATA_DIR: dir } })
    const before = await app.call('POST', '/v3/chat', QUESTION)
    expect(before.status).toBe(200)

    const ballast = join(dir, 'ballast')
    const { bavail, bsize } = await statfs(dir)
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - 16_384))
    const upload = () => {
      const form = new FormData()
      form.append('file', new Blob([new Uint8Array(MEGABYTE)]), 'large.bin')
      return app.call('POST', '/v1/files/upload', form)
    }
    expect(await upload()).toMatchObject({ status: 503, body: { msg: expect.stringContaining('no space left') } })
    const statuses = new Set<number>()
    await expect
      .poll(async () => {
        const { status } = await app.call('POST', '/v3/chat', QUESTION)
        statuses.add(status)
        return status
      })
      .toBe(503)
    expect([...statuses].every((status) => status === 200 || status === 503)).toBe(true)
    expect((await app.call('GET', '/healthz')).status).toBe(200)

    rmSync(ballast)
    await expect.poll(async () => (await app.call('POST', '/v3/chat', QUESTION)).status).toBe(200)
    expect((await upload()).status).toBe(200)
    const { conversation_id: conversationId, id } = before.body.data
    const stored = await app.call('GET', `/v3/chat/retrieve?conversation_id=${conversationId}&chat_id=${id}`)
    expect(stored.body.data.status).toBe('completed')
  },
)
