import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { randomText } from './random-text.ts'

/**
 * A key is `pat_`, 43 random base62 characters (256 bits) and 6 that are their checksum. A mistyped
 * or made-up key is thereby known as one without a look at the database.
 */
export function createKeySecret(): string {
  const body = PREFIX + randomText(BASE62, RANDOM_LENGTH)
  return body + checksumOf(body)
}

/** False for a text that cannot be a key of ours or one imported from Coze; costs no query. */
export function isWellFormed(secret: string): boolean {
  if (secret.length === COZE_LENGTH) return COZE_KEY.test(secret)
  if (secret.length !== LENGTH || !OWN_KEY.test(secret)) return false

  const body = secret.slice(0, -CHECKSUM_LENGTH)
  return secret.endsWith(checksumOf(body))
}

/** What the column `api_key` of the guide's table holds. */
export const md5Of = (secret: string): string => hash('md5', secret, 'hex')

export const lastFourOf = (secret: string): string => secret.slice(-4)

const PREFIX = 'pat_'
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_LENGTH = 43
const CHECKSUM_LENGTH = 6
const LENGTH = PREFIX.length + RANDOM_LENGTH + CHECKSUM_LENGTH
const OWN_KEY = /^pat_[0-9A-Za-z]+$/
// @NOTE Coze's keys carry no checksum, so only the database knows them: guesses of this shape do cost a query
const COZE_KEY = /^pat_[0-9a-f]{64}$/
const COZE_LENGTH = PREFIX.length + 64

function checksumOf(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    text = BASE62.charAt(rest % BASE62.length) + text
    rest = Math.floor(rest / BASE62.length)
  }
  return text
}
