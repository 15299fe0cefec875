import { z } from 'zod'
import type { Db } from '../db/database.ts'
import { isDatabaseUnavailable } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { BetterAuth } from './better-auth-sessions.ts'
import { checkNewPassword } from './password-hash.ts'
import type { Principal } from './principal.ts'
import { createSignInThrottle } from './sign-in-throttle.ts'
import type { SignInThrottle } from './sign-in-throttle.ts'
import { deleteExpiredSessions, deleteSessionsOf, findUser, toUserRole } from './user-store.ts'
import type { UserRole } from './user-store.ts'
import { createUser } from './users.ts'

export type ConsoleUser = { id: string; email: string; name: string; role: UserRole }
export type ConsolePrincipal = Principal & { role: UserRole }

/** `setCookie` are Set-Cookie headers that must reach the browser. */
export type WithCookie<T> = T & { setCookie: string[] }

export type Credentials = { email: string; password: string }
export type PasswordChange = { currentPassword: string; newPassword: string }

/** Where a request comes from. */
export type Browser = { address: string; userAgent?: string }

/**
 * Sessions of people at the console: 30 days, prolonged whenever the console asks who is there.
 * `cookie` is always the Cookie header as it came. Errors: `unauthenticated` without a live session,
 * `unavailable` when the database cannot tell.
 */
export type ConsoleSessions = {
  /** A wrong password and an unknown address give the same answer in the same time; `rate_limited` after five in a quarter of an hour. */
  signIn(credentials: Credentials, browser: Browser): Promise<WithCookie<{ user: ConsoleUser }>>
  /** `forbidden` unless the operator allows it. */
  signUp(request: Credentials & { name?: string }, browser: Browser): Promise<WithCookie<{ user: ConsoleUser }>>
  signOut(cookie: string | undefined): Promise<WithCookie<object>>
  /** Prolongs the session. */
  currentUser(cookie: string | undefined): Promise<WithCookie<{ user: ConsoleUser }>>
  /** Ends every other session of the user. */
  changePassword(cookie: string | undefined, change: PasswordChange, browser: Browser): Promise<WithCookie<object>>
  authenticateSession(cookie: string | undefined): Promise<ConsolePrincipal>
}

export type ConsoleSessionsDeps = { db: Db; secrets: SecretBox; clock: Clock; publicUrl: string; allowSignup: boolean }

export function createConsoleSessions(deps: ConsoleSessionsDeps): ConsoleSessions {
  const context = { ...deps, load: createLoader(deps), throttle: createSignInThrottle(deps.clock) }
  return {
    signIn: (credentials, browser) => signIn(context, credentials, browser),
    signUp: (request, browser) => signUp(context, request, browser),
    signOut: (cookie) => signOut(context, cookie),
    changePassword: (cookie, change, browser) => changePassword(context, change, { cookie, browser }),
    async currentUser(cookie) {
      const { user, setCookie } = await readSession(context, cookie, { disableRefresh: false })
      return { user, setCookie }
    },
    async authenticateSession(cookie) {
      const { user } = await readSession(context, cookie, { disableRefresh: true })
      return { userId: user.id, role: user.role }
    },
  }
}

type Context = ConsoleSessionsDeps & { load: () => Promise<BetterAuth>; throttle: SignInThrottle }

// Coze's name for it; the guide's samples send it
const COOKIE_NAME = 'session_key'
const ADDRESS_HEADER = 'x-console-address'

function createLoader({ db, secrets, publicUrl }: ConsoleSessionsDeps): () => Promise<BetterAuth> {
  const start = async () => {
    const { createBetterAuth } = await import('./better-auth-sessions.ts')
    const secret = secrets.deriveKey('console-session').toString('hex')
    return createBetterAuth({ db, secret, publicUrl, cookieName: COOKIE_NAME, addressHeader: ADDRESS_HEADER })
  }
  let library: Promise<BetterAuth> | undefined
  return () => (library ??= start())
}

/** Most requests that lack a session lack its cookie: they cost neither a query nor the library. */
async function readSession({ load }: Context, cookie: string | undefined, query: { disableRefresh: boolean }) {
  if (!hasSessionCookie(cookie)) throw new AppError('unauthenticated', `missing ${COOKIE_NAME} in cookie`)

  const { api } = await load()
  const { response, headers } = await translated(api.getSession({ headers: new Headers({ cookie }), query, returnHeaders: true }))
  if (!response) throw sessionEnded()
  if (Number(response.user.disabledAt) > 0) throw accountDisabled()
  return { cookie, user: toConsoleUser(response.user), setCookie: sessionCookies(headers) }
}

async function signIn({ db, clock, load, throttle }: Context, credentials: Credentials, browser: Browser) {
  return throttle.guard(`${credentials.email.toLowerCase()} ${browser.address}`, async () => {
    const { api } = await load()
    const { email, password } = credentials
    const { response, headers } = await translated(
      api.signInEmail({ body: { email, password }, headers: toHeaders(browser), returnHeaders: true }),
    )
    await deleteExpiredSessions(db, clock())
    if ((await findUser(db, response.user.id))?.isDisabled) {
      await deleteSessionsOf(db, response.user.id)
      throw accountDisabled()
    }
    return { user: toConsoleUser(response.user), setCookie: sessionCookies(headers) }
  })
}

async function signUp(context: Context, request: Credentials & { name?: string }, browser: Browser) {
  if (!context.allowSignup) throw new AppError('forbidden', 'sign-up is closed: ask an administrator for an account')

  const { email, password, name } = request
  await createUser(context, { email, password, name, role: 'user' })
  return signIn(context, { email, password }, browser)
}

async function signOut(context: Context, cookie: string | undefined) {
  // @NOTE the library would call it done when the database is gone; this reports it
  const session = await readSession(context, cookie, { disableRefresh: true })
  const { api } = await context.load()
  const { headers } = await translated(api.signOut({ headers: new Headers({ cookie: session.cookie }), returnHeaders: true }))
  return { setCookie: sessionCookies(headers) }
}

async function changePassword(context: Context, change: PasswordChange, from: { cookie: string | undefined; browser: Browser }) {
  checkNewPassword(change.newPassword)
  const { cookie, user } = await readSession(context, from.cookie, { disableRefresh: true })
  return context.throttle.guard(`user ${user.id} ${from.browser.address}`, async () => {
    const { api } = await context.load()
    const headers = toHeaders(from.browser)
    headers.set('cookie', cookie)
    const answer = await translated(api.changePassword({ body: { ...change, revokeOtherSessions: true }, headers, returnHeaders: true }))
    return { setCookie: sessionCookies(answer.headers) }
  })
}

const hasSessionCookie = (cookie: string | undefined): cookie is string =>
  cookie !== undefined && cookie.split(';').some((pair) => pair.trim().startsWith(`${COOKIE_NAME}=`))

const sessionCookies = (headers: Headers) => headers.getSetCookie().filter((cookie) => cookie.startsWith(`${COOKIE_NAME}=`))

const toHeaders = ({ address, userAgent = '' }: Browser) => new Headers({ 'user-agent': userAgent, [ADDRESS_HEADER]: address })

function toConsoleUser({ id, email, name, role }: { id: string; email: string; name: string; role?: unknown }): ConsoleUser {
  return { id, email, name, role: toUserRole(role) }
}

async function translated<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    throw toAppError(cause) ?? cause
  }
}

function toAppError(cause: unknown): AppError | undefined {
  if (isCausedByDatabase(cause)) return new AppError('unavailable', 'the database cannot be reached: try again', { cause })

  const code = libraryCode.safeParse(cause).data?.body.code
  // longer than any password may be: it is nobody's
  if (code === 'INVALID_EMAIL_OR_PASSWORD' || code === 'PASSWORD_TOO_LONG')
    return new AppError('unauthenticated', 'e-mail or password is wrong')
  if (code === 'INVALID_EMAIL') return new AppError('invalid_request', 'email: must be an e-mail address')
  if (code === 'INVALID_PASSWORD') return new AppError('invalid_request', 'current_password: is wrong')
  return code === 'UNAUTHORIZED' ? sessionEnded() : undefined
}

const libraryCode = z.object({ body: z.object({ code: z.string() }) })

const accountDisabled = () => new AppError('unauthenticated', 'this account is disabled: ask an administrator')

const sessionEnded = () => new AppError('unauthenticated', 'the session has ended: sign in again')

function isCausedByDatabase(cause: unknown): boolean {
  if (isDatabaseUnavailable(cause)) return true
  return cause instanceof Error && cause.cause !== undefined && isCausedByDatabase(cause.cause)
}
