import { expect, test } from 'vitest'
import { createAddressRules } from '../lib/address-rules.ts'
import { AppError } from '../lib/app-error.ts'
import { parseCallbackUrl } from './callback-url.ts'

const rules = createAddressRules([])

test.each([
  ['https://example.com/hook', 'https://example.com/hook'],
  ['http://example.com:8080/hook?token=a%20b#x', 'http://example.com:8080/hook?token=a%20b#x'],
  ['HTTPS://Example.COM', 'https://example.com/'],
  ['https://例え.jp/フック', 'https://xn--r8jz45g.jp/%E3%83%95%E3%83%83%E3%82%AF'],
  ['http://93.184.216.34/', 'http://93.184.216.34/'],
  ['http://[2606:2800:220:1::1]/', 'http://[2606:2800:220:1::1]/'],
])('%s is taken', (text, url) => {
  expect(parseCallbackUrl(text, rules)).toBe(url)
})

test.each([
  ['', 'must be an http or https address'],
  ['example.com/hook', 'must be an http or https address'],
  ['/hook', 'must be an http or https address'],
  ['ftp://example.com/', 'must be an http or https address'],
  ['file:///etc/passwd', 'must be an http or https address'],
  ['javascript:alert(1)', 'must be an http or https address'],
  ['http://', 'must be an http or https address'],
  [`https://example.com/${'x'.repeat(2_000)}`, 'at most 2000 characters'],
  [`https://example.com/${'密'.repeat(300)}`, 'at most 2000 characters'],
  [`https://${'a.'.repeat(150)}com/`, 'host name'],
  ['https://user:password@example.com/', 'must not contain a user name or password'],
  ['https://user@example.com/', 'must not contain a user name or password'],
  ['http://127.0.0.1:8080/', 'private address'],
  ['http://localhost/', 'private address'],
  ['http://api.localhost./', 'private address'],
  ['http://2130706433/', 'private address'],
  ['http://0x7f.1/', 'private address'],
  ['http://0177.0.0.1/', 'private address'],
  ['http://127.0.0.1./', 'private address'],
  ['http://①②⑦.0.0.1/', 'private address'],
  ['http://169.254.169.254/latest/meta-data/', 'private address'],
  ['http://[::1]/', 'private address'],
  ['http://[::ffff:127.0.0.1]/', 'private address'],
  ['http://[fd00::1]/', 'private address'],
])('%s is refused', (text, reason) => {
  const parse = () => parseCallbackUrl(text, rules)
  expect(parse).toThrow(AppError)
  expect(parse).toThrow(/^callback_url: /)
  expect(parse).toThrow(reason)
})

test('an address that the operator has opened is taken', () => {
  const opened = createAddressRules(['10.1.0.0/16'])
  expect(parseCallbackUrl('http://10.1.2.3:9000/hook', opened)).toBe('http://10.1.2.3:9000/hook')
  expect(() => parseCallbackUrl('http://10.2.2.3:9000/hook', opened)).toThrow('private address')
})

test('a password in the address is not repeated in the refusal', () => {
  expect(() => parseCallbackUrl('https://user:secret-word@example.com/', rules)).not.toThrow(/secret-word/)
})
