import { expect, test } from 'vitest'
import { createSecretBox } from './secret-box.ts'

test('opens what it sealed, and never seals the same text twice alike', () => {
  const box = createSecretBox('master')
  const [one, two] = [box.seal('密钥 sk-1'), box.seal('密钥 sk-1')]

  expect(one).not.toBe(two)
  expect(box.open(one)).toBe('密钥 sk-1')
})

test('refuses another master key and a changed text', () => {
  const sealed = createSecretBox('master').seal('text')

  expect(() => createSecretBox('other').open(sealed)).toThrow()
  expect(() => createSecretBox('master').open(`${sealed.slice(0, -4)}AAAA`)).toThrow()
})

test('sub-keys differ by purpose and by master key', () => {
  const box = createSecretBox('master')

  expect(box.deriveKey('a').equals(box.deriveKey('a'))).toBe(true)
  expect(box.deriveKey('a').equals(box.deriveKey('b'))).toBe(false)
  expect(box.deriveKey('a').equals(createSecretBox('other').deriveKey('a'))).toBe(false)
})
