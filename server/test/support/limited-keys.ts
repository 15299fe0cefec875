import type { PolicyWire } from '../../src/http/console/key-policy-wire.ts'
import type { Reply, TestApp } from './test-app.ts'

export const PAT = '/api/permission_api/pat'

export type LimitedKey = { keyId: string; apiKey: string }

/** A key of the first user, unless it says otherwise, as the console makes it. */
export async function makeLimitedKey(
  app: TestApp,
  policy: PolicyWire | undefined,
  more: { email?: string; name?: string } = {},
): Promise<LimitedKey> {
  const { email, name = 'limited' } = more
  const { status, body, text } = await callPat(app, {
    ...{ path: 'create_personal_access_token_and_permission', body: { name, policy }, email },
  })
  if (status !== 200) throw new Error(`${status}: ${text}`)
  app.secrets.set(`API key ${body.id}`, body.api_key)
  return { keyId: String(body.id), apiKey: body.api_key }
}

export async function changeKey(app: TestApp, keyId: string, change: object): Promise<Reply> {
  return callPat(app, { path: 'update_personal_access_token_and_permission', body: { id: keyId, ...change } })
}

/** The key as the console reads it: the guide's flat fields. */
export async function readKey(app: TestApp, keyId: string): Promise<Reply['body']> {
  return (await callPat(app, { method: 'GET', path: `get_personal_access_token_and_permission?id=${keyId}` })).body
}

const cookies = new WeakMap<object, Map<string, Promise<string>>>()

type PatCall = { method?: 'GET' | 'POST'; path: string; body?: object; email?: string }

/** A call of a person with a session: the first user where nobody is named. */
export async function callPat(app: TestApp, { method = 'POST', path, body, email }: PatCall): Promise<Reply> {
  const known = cookies.get(app.core) ?? new Map<string, Promise<string>>()
  cookies.set(app.core, known)
  const name = email ?? 'user1@example.com'
  const signing = known.get(name) ?? app.signIn(email)
  known.set(name, signing)
  return app.call(method, `${PAT}/${path}`, body, { apiKey: '', headers: { cookie: await signing } })
}
