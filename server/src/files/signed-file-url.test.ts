import { expect, test } from 'vitest'
import { createSecretBox } from '../lib/secret-box.ts'
import { LINK_LIFETIME_MS, createFileLinks } from './signed-file-url.ts'

const START = Date.UTC(2026, 0, 1)

test('a link works for its file until it expires', () => {
  const { links, time } = make()
  const link = links.urlOf({ id: '123', name: '报告 1.pdf' })
  const signature = signatureOf(link)

  expect(link).toMatch(/^https:\/\/x\.test\/base\/v1\/files\/123\/[\w-]+\/%E6%8A%A5%E5%91%8A%201\.pdf$/)
  expect(links.isValid({ fileId: '123', signature })).toBe(true)
  expect(links.isValid({ fileId: '124', signature })).toBe(false)

  time.now = START + LINK_LIFETIME_MS - 1
  expect(links.isValid({ fileId: '123', signature })).toBe(true)
  time.now = START + LINK_LIFETIME_MS
  expect(links.isValid({ fileId: '123', signature })).toBe(false)
})

test('a lasting link is a path, always the same one, and still works after a hundred years', () => {
  const { links, time } = make()
  const path = links.lastingPathOf({ id: '123', name: 'icon' })
  expect(path).toMatch(/^\/v1\/files\/123\/[\w-]+\/icon$/)

  time.now = START + 100 * 365 * 24 * 60 * 60 * 1000
  expect(links.lastingPathOf({ id: '123', name: 'icon' })).toBe(path)
  expect(links.isValid({ fileId: '123', signature: signatureOf(path) })).toBe(true)
  expect(links.isValid({ fileId: '124', signature: signatureOf(path) })).toBe(false)
})

test('no other signature works: not a changed one, not a later expiry, not another server’s', () => {
  const { links } = make()
  const signature = signatureOf(links.urlOf({ id: '123', name: 'a' }))
  const [expiry = '', mac = ''] = signature.split(/-(.*)/s)
  const later = (Number.parseInt(expiry, 36) + 1).toString(36)
  const foreign = signatureOf(make('other').links.urlOf({ id: '123', name: 'a' }))

  const wrong = Array.from(signature, (character, at) => signature.slice(0, at) + (character === 'A' ? 'B' : 'A') + signature.slice(at + 1))
  for (const forged of [
    ...wrong,
    `${later}-${mac}`,
    foreign,
    `${signature}A`,
    signature.slice(0, -1),
    mac,
    `-${mac}`,
    '',
    '🎈'.repeat(20),
  ]) {
    expect(links.isValid({ fileId: '123', signature: forged }), forged).toBe(false)
  }
})

function make(masterKey = 'master') {
  const time = { now: START }
  return { time, links: createFileLinks({ secrets: createSecretBox(masterKey), publicUrl: 'https://x.test/base', clock: () => time.now }) }
}

function signatureOf(link: string): string {
  return new URL(link, 'https://x.test').pathname.split('/').at(-2) ?? ''
}
