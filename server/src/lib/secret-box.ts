import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Everything derived from the master key: encryption at rest and one independent sub-key per purpose. */
export interface SecretBox {
  /** AES-256-GCM; the result is base64 of nonce, tag and ciphertext. */
  seal(text: string): string
  /** Throws when the text was not sealed with this master key, or was changed. */
  open(sealed: string): string
  /** 32 bytes that only this master key and this purpose give. */
  deriveKey(purpose: string): Buffer
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

export function createSecretBox(masterKey: string): SecretBox {
  const deriveKey = (purpose: string) => Buffer.from(hkdfSync('sha256', masterKey, 'coze-plus', purpose, 32))
  const sealKey = deriveKey('seal')

  return {
    deriveKey,
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', sealKey, nonce)
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', sealKey, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
    },
  }
}
