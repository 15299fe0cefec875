import { describe, expect, test } from 'vitest'
import { canonicalCidr, createCidrMatcher, isWithinCidr } from './cidr.ts'

describe('ranges of addresses', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    [' 192.0.2.7 ', '192.0.2.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0::1/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['::/0', '::/0'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:192.0.2.7', '192.0.2.7/32'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
  ])('%s is %s', (given, canonical) => expect(canonicalCidr(given)).toBe(canonical))

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    'fe80::1%eth0',
    'example.com',
    '010.0.0.1',
    '1e1.0.0.1',
  ])('"%s" is none', (given) => expect(canonicalCidr(given)).toBeUndefined())

  test.each([
    [['10.0.0.0/8'], '10.255.0.1', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['10.0.0.0/8'], '::ffff:a01:203', true],
    [['::ffff:10.0.0.0/104'], '10.1.2.3', true],
    [['192.0.2.7/32'], '192.0.2.7', true],
    [['192.0.2.7/32'], '192.0.2.8', false],
    [['2001:db8::/32', '10.0.0.0/8'], '2001:db8:ffff::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['::/0'], '10.0.0.1', false],
    [['0.0.0.0/0'], '::1', false],
    [['0.0.0.0/0'], 'unknown', false],
    [['0.0.0.0/0'], '', false],
  ])('%j holds %s: %s', (cidrs, address, expected) => expect(createCidrMatcher(cidrs)(address)).toBe(expected))

  test.each([
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.0.0.0/7', '10.0.0.0/8', false],
    ['::ffff:10.1.0.0/112', '10.0.0.0/8', true],
    ['::/0', '0.0.0.0/0', false],
    ['nonsense', '::/0', false],
  ])('%s is within %s: %s', (inner, outer, expected) => expect(isWithinCidr(inner, outer)).toBe(expected))
})
