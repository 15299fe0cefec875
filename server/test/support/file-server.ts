import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { openDatabase } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createDiskObjectStore } from '../../src/files/disk-object-store.ts'
import { createFileLinks } from '../../src/files/signed-file-url.ts'
import { replyWithError } from '../../src/http/error-reply.ts'
import { fileRoutes } from '../../src/http/open/open-files.ts'
import { validatorCompiler } from '../../src/http/validation.ts'
import { createSecretBox } from '../../src/lib/secret-box.ts'
import { createSnowflake } from '../../src/lib/snowflake.ts'

const PUBLIC_URL = 'http://files.test/base'

export type FileServer = Awaited<ReturnType<typeof startFileServer>>

/** The file routes alone over real HTTP, on SQLite and a directory of their own. A key is the user's id: `Bearer 7` is user 7. */
export async function startFileServer({ maxUploadBytes = 1024 * 1024, authMs = 0 } = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'coze-plus-files-'))
  const db = await openDatabase({ kind: 'sqlite', path: ':memory:' })
  await migrate(db)

  const time = { now: Date.UTC(2026, 0, 2, 3, 4, 5) }
  const clock = () => time.now
  const objects = await createDiskObjectStore(join(dataDir, 'files'))
  const links = createFileLinks({ secrets: createSecretBox('master'), publicUrl: PUBLIC_URL, clock })
  const services = { db, objects, nextId: createSnowflake(1, clock), clock, limits: { maxUploadBytes }, links }

  const { http, unexpected } = bareServer(authMs)
  await http.register(fileRoutes(services))
  const url = await http.listen({ host: '127.0.0.1', port: 0 })
  const port = Number(new URL(url).port)

  return {
    ...services,
    time,
    url,
    port,
    dataDir,
    /** What no caller should ever cause. */
    unexpected,
    /** Where a handed out link leads on this machine. */
    local: (link: string) => link.replace(PUBLIC_URL, url),
    /** Everything on disk, finished or not. */
    objectsOnDisk: async () => {
      const entries = await readdir(join(dataDir, 'files'), { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
    },
    rows: () => db.selectFrom('file').selectAll().execute(),
    socket: () => connect({ host: '127.0.0.1', port }),
    [Symbol.asyncDispose]: async () => {
      await http.close()
      await db.destroy()
      await rm(dataDir, { recursive: true })
    },
  }
}

function bareServer(authMs: number) {
  const unexpected: unknown[] = []
  const http = Fastify({ forceCloseConnections: true })
  http.setValidatorCompiler(validatorCompiler)
  http.setSerializerCompiler(() => (data) => JSON.stringify(data))
  http.addHook('onRequest', async (request) => {
    await sleep(authMs)
    request.principal = { userId: request.headers.authorization?.replace('Bearer ', '') ?? '1' }
  })
  http.setErrorHandler((cause, request, reply) => {
    const sent = replyWithError(cause, request, reply)
    if (sent.statusCode >= 500) unexpected.push(cause)
    return sent
  })
  http.post('/json', (request) => ({ got: request.body }))
  return { http, unexpected }
}

/** Sends the bytes as they are, a number is a pause in ms; answers what comes back until the server closes or a whole JSON answer is there. */
export async function sendRaw(server: FileServer, pieces: (string | number)[]): Promise<{ status: number; body: unknown }> {
  const socket = server.socket()
  for (const piece of pieces) {
    if (typeof piece === 'string') socket.write(piece)
    else await sleep(piece)
  }

  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    answer += String(chunk)
    const [head = '', body] = answer.split('\r\n\r\n')
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
    if (body !== undefined && Buffer.byteLength(body) >= length) break
  }
  return { status: Number(answer.slice(9, 12)), body: JSON.parse(answer.split('\r\n\r\n')[1] || 'null') }
}
