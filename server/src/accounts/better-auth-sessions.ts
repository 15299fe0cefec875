import { betterAuth } from 'better-auth'
import { dialectOf } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { hashPassword, isPasswordOf, PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH } from './password-hash.ts'

/**
 * better-auth on our tables, for what belongs to a session: signing in and out, the cookie, changing
 * a password. It is called as a library: none of its routes is served.
 *
 * @NOTE Loading it costs about 100 ms and 20 MB. Import this file only with `import()`, when a console request comes.
 */
export function createBetterAuth({ db, secret, publicUrl, cookieName, addressHeader }: BetterAuthRequest) {
  return betterAuth({
    appName: 'Coze Plus',
    database: { db, type: dialectOf(db), transaction: true },
    secret,
    baseURL: publicUrl,
    telemetry: { enabled: false },
    logger: { disabled: true },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_MIN_LENGTH,
      maxPasswordLength: PASSWORD_MAX_LENGTH,
      password: { hash: hashPassword, verify: ({ hash, password }) => isPasswordOf(hash, password) },
    },
    advanced: {
      database: { generateId: 'serial' },
      cookiePrefix: 'console',
      cookies: { session_token: { name: cookieName } },
      // @NOTE it would put `__Secure-` before the name
      useSecureCookies: false,
      defaultCookieAttributes: { secure: publicUrl.startsWith('https:') },
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
    ...tableNames,
  })
}

type BetterAuthRequest = {
  db: Db
  secret: string
  publicUrl: string
  cookieName: string
  /** How a caller's address is handed over: the library reads it from headers only. */
  addressHeader: string
}

export type BetterAuth = ReturnType<typeof createBetterAuth>

const DAY_SECONDS = 86_400
const times = { createdAt: 'created_at', updatedAt: 'updated_at' } as const

const tableNames = {
  user: {
    fields: { emailVerified: 'email_verified', ...times },
    additionalFields: {
      role: { type: 'string', input: false, defaultValue: 'user' },
      disabledAt: { type: 'number', input: false, required: false, fieldName: 'disabled_at' },
    },
  },
  session: {
    modelName: 'user_session',
    fields: { userId: 'user_id', expiresAt: 'expires_at', ipAddress: 'ip_address', userAgent: 'user_agent', ...times },
    expiresIn: 30 * DAY_SECONDS,
    updateAge: DAY_SECONDS,
  },
  account: {
    modelName: 'user_account',
    fields: {
      userId: 'user_id',
      accountId: 'account_id',
      providerId: 'provider_id',
      accessToken: 'access_token',
      refreshToken: 'refresh_token',
      idToken: 'id_token',
      accessTokenExpiresAt: 'access_token_expires_at',
      refreshTokenExpiresAt: 'refresh_token_expires_at',
      ...times,
    },
  },
  verification: { modelName: 'user_verification', fields: { expiresAt: 'expires_at', ...times } },
} as const
