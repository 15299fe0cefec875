import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { AppError } from '../lib/app-error.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { TokenScope } from './key-policy.ts'

/** What a publishable token says; times are ms. */
export type TokenClaims = TokenScope & { keyId: string; expiresAt: number }

export const TOKEN_PREFIX = 'pub_'
const TOKEN = /^pub_([\w-]{1,8000})\.([\w-]{43})$/

export interface TokenSignature {
  write(claims: TokenClaims): string
  /** Throws `unauthenticated` for what was not written with this master key. */
  read(token: string): TokenClaims
}

/** Nothing of a token is stored: whoever has the master key can tell that it is one. */
export function createTokenSignature(secrets: SecretBox): TokenSignature {
  const key = secrets.deriveKey('publishable-token')
  const sign = (payload: string) => createHmac('sha256', key).update(payload).digest()

  return {
    write(claims) {
      const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
      return `${TOKEN_PREFIX}${payload}.${sign(payload).toString('base64url')}`
    },
    read(token) {
      const [, payload, mac] = TOKEN.exec(token) ?? []
      if (payload === undefined || mac === undefined) throw invalid()
      const given = Buffer.from(mac, 'base64url')
      const expected = sign(payload)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw invalid()
      return claimsSchema.parse(toJson(payload))
    },
  }
}

/** Which pages a token says that it is for, true or not: they may read why it is refused. */
export function claimedOrigins(token: string): string[] {
  const [, payload] = TOKEN.exec(token) ?? []
  const claims = payload === undefined ? undefined : claimsSchema.safeParse(toJson(payload))
  return claims?.success ? claims.data.origins : []
}

const claimsSchema = z.object({
  keyId: z.string(),
  botId: z.string(),
  endUser: z.string(),
  origins: z.array(z.string()),
  expiresAt: z.number(),
})

function toJson(payload: string): unknown {
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString())
  } catch {
    return undefined
  }
}

const invalid = () => new AppError('unauthenticated', 'token invalid')
