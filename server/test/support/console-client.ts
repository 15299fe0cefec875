import { createUser } from '../../src/accounts/users.ts'
import { parseFrames } from './sse-frames.ts'
import type { Frame } from './sse-frames.ts'
import { PASSWORD } from './test-app.ts'
import type { Json, Reply, TestApp } from './test-app.ts'

/** The console's API as a page of it calls it: with a session, and without a key. */
export type ConsoleClient = {
  get(path: string): Promise<Reply>
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>
  put(path: string, body: unknown): Promise<Reply>
  delete(path: string, body: unknown): Promise<Reply>
  /** The `data` of a good reply; anything else fails the test with what was said. */
  read(path: string): Promise<Json>
  make(path: string, body?: unknown): Promise<Json>
  save(path: string, body: unknown): Promise<Json>
  /** The frames of a stream, read to its end. */
  stream(path: string, headers?: Record<string, string>): Promise<Frame[]>
}

/** Signs in; the first user where nobody is named. */
export async function openConsole(app: TestApp, email?: string): Promise<ConsoleClient> {
  const cookie = await app.signIn(email)
  const call = (method: string, path: string, { body, headers }: { body?: unknown; headers?: Record<string, string> } = {}) =>
    app.call(method, `/api/console/${path}`, body, { apiKey: '', headers: { cookie, ...headers } })
  const get = (path: string) => call('GET', path)
  return {
    get,
    post: (path, body = {}, headers) => call('POST', path, { body, headers }),
    put: (path, body) => call('PUT', path, { body }),
    delete: (path, body) => call('DELETE', path, { body }),
    read: async (path) => dataOf(await get(path)),
    make: async (path, body = {}) => dataOf(await call('POST', path, { body })),
    save: async (path, body) => dataOf(await call('PUT', path, { body })),
    stream: async (path, headers) => parseFrames((await call('GET', path, { headers })).text),
  }
}

/** A new administrator, signed in. */
export async function openAdminConsole(app: TestApp): Promise<ConsoleClient & { userId: string; email: string }> {
  const email = `admin${++admins}-${app.port}@example.com`
  const { id: userId } = await createUser(app.core, { email, password: PASSWORD, role: 'admin' })
  return { ...(await openConsole(app, email)), userId, email }
}

let admins = 0

function dataOf({ status, text, body }: Reply): Json {
  if (status !== 200) throw new Error(`${status}: ${text}`)
  return body.data
}
