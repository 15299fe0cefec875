import type { AddressRules } from '../lib/address-rules.ts'
import { AppError } from '../lib/app-error.ts'

export const MAX_CALLBACK_URL = 2_000

/**
 * The address as it is stored and called; throws `invalid_request` for one that can never be called. A name that
 * leads to a private address is refused when it is called: only then is known where it leads.
 */
export function parseCallbackUrl(text: string, rules: Pick<AddressRules, 'isForbiddenAddress'>): string {
  const url = text.length <= MAX_CALLBACK_URL ? URL.parse(text) : null
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.href.length > MAX_CALLBACK_URL) {
    throw refusal(`must be an http or https address of at most ${MAX_CALLBACK_URL} characters`)
  }
  if (url.username !== '' || url.password !== '') throw refusal('must not contain a user name or password: check the signature instead')
  if (url.hostname.length > MAX_HOSTNAME) throw refusal('has a host name that is too long')

  const address = addressIn(url.hostname)
  if (address !== undefined && rules.isForbiddenAddress(address)) {
    throw refusal('must not be a private address: the operator can open a range with ALLOWED_PRIVATE_CIDRS')
  }
  return url.href
}

const MAX_HOSTNAME = 253

const refusal = (message: string) => new AppError('invalid_request', `callback_url: ${message}`)

/** The address that the host says literally; the URL parser has brought every notation of IPv4 into the usual one. */
function addressIn(hostname: string): string | undefined {
  if (/^(.+\.)?localhost\.?$/.test(hostname)) return '127.0.0.1'
  if (hostname.startsWith('[')) return hostname.slice(1, -1)
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname : undefined
}
