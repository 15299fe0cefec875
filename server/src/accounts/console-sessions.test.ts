import { afterEach, describe, expect, test, vi } from 'vitest'
import { startMariadb, testDatabases } from '../../test/support/test-databases.ts'
import { openDatabase } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { createConsoleSessions } from './console-sessions.ts'
import type { ConsoleSessionsDeps } from './console-sessions.ts'
import { createUser } from './users.ts'

const EMAIL = 'ada@example.com'
const PASSWORD = 'correct horse'
const BROWSER = { address: '203.0.113.7', userAgent: 'Firefox' }
const DAY_MS = 86_400_000
const UNAUTHENTICATED = expect.objectContaining({ code: 'unauthenticated' })

afterEach(() => {
  vi.useRealTimers()
})

/** A console with one user who may sign in. */
async function startConsole(db: Db, changes: Partial<ConsoleSessionsDeps> = {}) {
  const deps = {
    db,
    secrets: createSecretBox('master'),
    clock: Date.now,
    publicUrl: 'http://127.0.0.1:8888',
    allowSignup: false,
    ...changes,
  }
  const sessions = createConsoleSessions(deps)
  const user = await createUser(deps, { email: EMAIL, password: PASSWORD, name: 'Ada', role: 'admin' })
  const signIn = async (password = PASSWORD) => toCookie(await sessions.signIn({ email: EMAIL, password }, BROWSER))
  return { ...sessions, user, signInAs: sessions.signIn, signIn }
}

/** What a browser sends back. */
function toCookie({ setCookie }: { setCookie: string[] }): string {
  return setCookie[0]?.split(';')[0] ?? ''
}

describe.each(testDatabases())('console sessions on $name', ({ open }) => {
  test('a person signs in, is known, and signs out', async () => {
    await using db = await open()
    const { signInAs, authenticateSession, currentUser, signOut, user } = await startConsole(db)

    const { user: who, setCookie } = await signInAs({ email: 'ADA@example.com', password: PASSWORD }, BROWSER)
    expect(who).toEqual({ id: user.id, email: EMAIL, name: 'Ada', role: 'admin' })
    expect(setCookie).toEqual([expect.stringMatching(/^session_key=[^;]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/)])

    const cookie = `theme=dark; ${toCookie({ setCookie })}; lang=zh`
    expect(await authenticateSession(cookie)).toEqual({ userId: user.id, role: 'admin' })
    expect((await currentUser(cookie)).user).toEqual(who)

    const { setCookie: cleared } = await signOut(cookie)
    expect(cleared).toEqual([expect.stringMatching(/^session_key=; Max-Age=0;/)])
    await expect(authenticateSession(cookie)).rejects.toThrow(UNAUTHENTICATED)
  })

  test('the cookie says Secure where the console is served over https', async () => {
    await using db = await open()
    const { signInAs } = await startConsole(db, { publicUrl: 'https://agents.example.com' })

    const { setCookie } = await signInAs({ email: EMAIL, password: PASSWORD }, BROWSER)
    expect(setCookie).toEqual([expect.stringMatching(/^session_key=.*; Secure/)])
  })

  test('nobody gets in without a live session’s own cookie', async () => {
    await using db = await open()
    const { signIn, authenticateSession } = await startConsole(db)
    const cookie = await signIn()
    const { token } = await db.selectFrom('user_session').select('token').executeTakeFirstOrThrow()
    const stranger = createConsoleSessions({
      db,
      secrets: createSecretBox('another master key'),
      clock: Date.now,
      publicUrl: 'http://127.0.0.1:8888',
      allowSignup: false,
    })

    await expect(authenticateSession(undefined)).rejects.toThrow('missing session_key in cookie')
    for (const wrong of [
      '',
      'a=b',
      'session_key=',
      'session_key=x',
      `session_key=${token}`,
      `session_key=${token}.x`,
      `${cookie.slice(0, -4)}AAA%3D`,
    ]) {
      await expect(authenticateSession(wrong), wrong).rejects.toThrow(UNAUTHENTICATED)
    }
    await expect(stranger.authenticateSession(cookie)).rejects.toThrow(UNAUTHENTICATED)
    expect(await authenticateSession(cookie)).toBeDefined()
  })

  test('a wrong password and an unknown address are answered alike, in the same time', async () => {
    await using db = await open()
    const { signInAs } = await startConsole(db)
    const attempt = async (email: string, address: string) => {
      const started = performance.now()
      await expect(signInAs({ email, password: 'wrong password' }, { address })).rejects.toThrow(
        expect.objectContaining({ code: 'unauthenticated', message: 'e-mail or password is wrong' }),
      )
      return performance.now() - started
    }
    const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] }
    for (let time = 0; time < 9; time++) {
      times.known.push(await attempt(EMAIL, `198.51.100.${time}`))
      times.unknown.push(await attempt('nobody@example.com', `198.51.100.${time}`))
    }

    const [known, unknown] = [median(times.known), median(times.unknown)]
    expect(unknown).toBeGreaterThan(known * 0.4)
    expect(unknown).toBeLessThan(known * 2.5)
  })

  test('a password that is longer than any may be is wrong like every other, and counts as a try', async () => {
    await using db = await open()
    const { signIn } = await startConsole(db)
    for (let attempt = 0; attempt < 5; attempt++) await expect(signIn('é'.repeat(900))).rejects.toThrow('e-mail or password is wrong')
    await expect(signIn()).rejects.toMatchObject({ code: 'rate_limited' })
  })

  test('after five wrong passwords even the right one has to wait, from that address', async () => {
    await using db = await open()
    const { signInAs } = await startConsole(db)
    for (let time = 0; time < 5; time++)
      await expect(signInAs({ email: EMAIL, password: 'wrong password' }, BROWSER)).rejects.toThrow(UNAUTHENTICATED)

    const limited = signInAs({ email: EMAIL.toUpperCase(), password: PASSWORD }, BROWSER)
    await expect(limited).rejects.toThrow(expect.objectContaining({ code: 'rate_limited', retryAfterMs: expect.any(Number) }))
    expect(await signInAs({ email: EMAIL, password: PASSWORD }, { address: '203.0.113.8' })).toBeDefined()
  })

  test('a new password ends the other sessions and takes the place of the old one', async () => {
    await using db = await open()
    const { signIn, authenticateSession, changePassword } = await startConsole(db)
    const [here, elsewhere] = [await signIn(), await signIn()]
    const change = { currentPassword: PASSWORD, newPassword: 'battery staple' }

    await expect(changePassword(here, { ...change, currentPassword: 'a guess' }, BROWSER)).rejects.toThrow('current_password: is wrong')
    await expect(changePassword(here, { ...change, newPassword: 'short' }, BROWSER)).rejects.toThrow('password: must have')
    await expect(changePassword(undefined, change, BROWSER)).rejects.toThrow(UNAUTHENTICATED)
    const renewed = toCookie(await changePassword(here, change, BROWSER))

    expect(await authenticateSession(renewed)).toBeDefined()
    await expect(authenticateSession(elsewhere)).rejects.toThrow(UNAUTHENTICATED)
    await expect(signIn(PASSWORD)).rejects.toThrow(UNAUTHENTICATED)
    expect(await signIn('battery staple')).toBeDefined()
  })

  test('a stolen session cannot guess the password for ever', async () => {
    await using db = await open()
    const { signIn, changePassword } = await startConsole(db)
    const cookie = await signIn()
    const guess = (currentPassword: string) => changePassword(cookie, { currentPassword, newPassword: 'battery staple' }, BROWSER)

    for (let time = 0; time < 5; time++) await expect(guess(`guess ${time}`)).rejects.toThrow('is wrong')
    await expect(guess(PASSWORD)).rejects.toThrow(expect.objectContaining({ code: 'rate_limited' }))
  })

  test('sign-up is for where the operator allows it', async () => {
    await using db = await open()
    const request = { email: 'bob@example.com', password: PASSWORD, role: 'admin' }
    const closed = await startConsole(db)
    await expect(closed.signUp(request, BROWSER)).rejects.toThrow(expect.objectContaining({ code: 'forbidden' }))

    const console_ = createConsoleSessions({
      db,
      secrets: createSecretBox('master'),
      clock: Date.now,
      publicUrl: 'http://127.0.0.1:8888',
      allowSignup: true,
    })
    const signedUp = await console_.signUp(request, BROWSER)
    expect(signedUp.user).toMatchObject({ email: 'bob@example.com', name: 'bob', role: 'user' })
    expect(await console_.authenticateSession(toCookie(signedUp))).toEqual({ userId: signedUp.user.id, role: 'user' })
    await expect(console_.signUp(request, BROWSER)).rejects.toThrow(expect.objectContaining({ code: 'conflict' }))
  })

  test('a session lives for 30 days after its last visit', async () => {
    await using db = await open()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) })
    const { signIn, authenticateSession, currentUser } = await startConsole(db)
    const [visited, left] = [await signIn(), await signIn()]

    vi.setSystemTime(Date.now() + 29 * DAY_MS)
    expect(toCookie(await currentUser(visited))).toBe(visited)
    vi.setSystemTime(Date.now() + 29 * DAY_MS)
    expect(await authenticateSession(visited)).toBeDefined()
    await expect(authenticateSession(left)).rejects.toThrow(UNAUTHENTICATED)

    vi.setSystemTime(Date.now() + 2 * DAY_MS)
    await expect(authenticateSession(visited)).rejects.toThrow(UNAUTHENTICATED)
  })

  test('sessions nobody came back to do not pile up', async () => {
    await using db = await open()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) })
    const { signIn } = await startConsole(db)
    await signIn()
    await signIn()

    vi.setSystemTime(Date.now() + 31 * DAY_MS)
    await signIn()
    expect(await db.selectFrom('user_session').select(['ip_address', 'user_agent']).execute()).toEqual([
      { ip_address: BROWSER.address, user_agent: BROWSER.userAgent },
    ])
  })
})

test.skipIf(testDatabases().length === 1)('a database that is gone is not a missing session', async () => {
  await using server = await startMariadb()
  const db = await openDatabase({ kind: 'mysql', url: server.url() })
  await migrate(db)
  const { signIn, signOut, currentUser, authenticateSession } = await startConsole(db)
  const cookie = await signIn()
  const unavailable = expect.objectContaining({ code: 'unavailable' })

  await server.kill()
  for (const attempt of [signIn, () => authenticateSession(cookie), () => currentUser(cookie), () => signOut(cookie)]) {
    await expect(attempt()).rejects.toThrow(unavailable)
  }
  await server.start()
  expect(await authenticateSession(cookie)).toBeDefined()
  await db.destroy()
})

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
