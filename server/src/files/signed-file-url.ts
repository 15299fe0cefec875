import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'

/**
 * Links that let anyone who has one read one file, for seven days:
 * `<publicUrl>/v1/files/<file id>/<expiry>-<HMAC of id and expiry>/<name>`. The name is for the reader's
 * eyes and for tools that take a file's type from its URL; nothing depends on it. A new link can be
 * had at any time with the owner's key. Changing the master key ends all of them.
 */
export interface FileLinks {
  urlOf(file: { id: string; name: string }): string
  /** For what everybody may see, such as an icon: the path of a link that does not expire. The origin may change under it. */
  lastingPathOf(file: { id: string; name: string }): string
  isValid(link: { fileId: string; signature: string }): boolean
}

export const LINK_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000
/** The last second that a link can name, in three million years. */
const NEVER = 'zzzzzzzzz'

export function createFileLinks({ secrets, publicUrl, clock }: { secrets: SecretBox; publicUrl: string; clock: Clock }): FileLinks {
  const key = secrets.deriveKey('file-url')
  const sign = (fileId: string, expiry: string) => createHmac('sha256', key).update(`${fileId}.${expiry}`).digest('base64url')

  const pathOf = ({ id, name }: { id: string; name: string }, expiry: string) =>
    `/v1/files/${id}/${expiry}-${sign(id, expiry)}/${encodeURIComponent(name)}`

  return {
    urlOf: (file) => publicUrl + pathOf(file, Math.ceil((clock() + LINK_LIFETIME_MS) / 1000).toString(36)),
    lastingPathOf: (file) => pathOf(file, NEVER),

    isValid({ fileId, signature }) {
      const [, expiry, mac] = /^([0-9a-z]{1,9})-([\w-]{43})$/.exec(signature) ?? []
      if (expiry === undefined || mac === undefined) return false

      const authentic = timingSafeEqual(Buffer.from(mac), Buffer.from(sign(fileId, expiry)))
      return authentic && clock() < Number.parseInt(expiry, 36) * 1000
    },
  }
}
