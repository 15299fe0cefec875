import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import type { SecretBox } from '../lib/secret-box.ts'

/** What the user's receivers check signatures with. It is derived, never stored: another MASTER_KEY gives another one. */
export function webhookSecretOf(secrets: Pick<SecretBox, 'deriveKey'>, userId: string): string {
  const key = createHmac('sha256', secrets.deriveKey('webhook-signing')).update(userId).digest('base64')
  return `whsec_${key}`
}

/** The headers of Standard Webhooks. */
export function signedHeaders(secret: string, event: { id: string; sentAt: number; payload: string }): Record<string, string> {
  const sentAt = new Date(event.sentAt)
  return {
    'webhook-id': event.id,
    'webhook-timestamp': String(Math.floor(event.sentAt / 1000)),
    'webhook-signature': new Webhook(secret).sign(event.id, sentAt, event.payload),
  }
}
