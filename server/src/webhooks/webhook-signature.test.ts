import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { createSecretBox } from '../lib/secret-box.ts'
import { signedHeaders, webhookSecretOf } from './webhook-signature.ts'

test('every user has a secret of their own, the same on every node and after a restart', () => {
  const secret = webhookSecretOf(createSecretBox('master'), '7')

  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(webhookSecretOf(createSecretBox('master'), '7')).toBe(secret)
  expect(webhookSecretOf(createSecretBox('master'), '8')).not.toBe(secret)
  expect(webhookSecretOf(createSecretBox('other'), '7')).not.toBe(secret)
})

test('the signature is of the id, the time and every byte of the body', () => {
  const secret = webhookSecretOf(createSecretBox('master'), '7')
  const payload = '{"text":"密钥 😀"}'
  const headers = signedHeaders(secret, { id: '42', sentAt: Date.now(), payload })
  const verify = (changed: Record<string, string>, body = payload) => new Webhook(secret).verify(body, { ...headers, ...changed })

  expect(verify({})).toEqual({ text: '密钥 😀' })
  expect(() => verify({}, payload.replace('密', '秘'))).toThrow('No matching signature')
  expect(() => verify({ 'webhook-id': '43' })).toThrow('No matching signature')
  expect(() => verify({ 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) })).toThrow('No matching signature')
  expect(() => verify({ 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 301) })).toThrow('too old')
})
