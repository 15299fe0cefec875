import { expect, test } from 'vitest'
import { createAddressRules, findCidrProblem } from './address-rules.ts'

const { findRule, isForbiddenAddress } = createAddressRules([])

test.each([
  ['unspecified', ['0.0.0.0', '0.255.255.255', '::', '::ffff:0.0.0.0']],
  ['loopback', ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::127.0.0.1', '2002:7f00:1::']],
  ['private', ['10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255']],
  ['private', ['fc00::1', 'fdff:ffff::1', 'fec0::1', '::ffff:10.1.2.3', '64:ff9b::a00:1', '2002:c0a8:101::1', '64:ff9b:1::1']],
  ['link_local', ['169.254.0.1', '169.254.255.255', 'fe80::1', 'febf::1', 'fe80::1%eth0', '::ffff:169.254.1.1']],
  ['metadata', ['169.254.169.254', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::', '168.63.129.16', '100.100.100.200']],
  ['metadata', ['fd00:ec2::254', 'fd20:ce::254', '169.254.170.2', '192.0.0.192']],
  ['shared', ['100.64.0.1', '100.127.255.255', '::ffff:100.64.0.1']],
  ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1', '::ffff:224.0.0.1']],
  ['reserved', ['192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1']],
  ['reserved', ['240.0.0.1', '255.255.255.255', '::ffff:255.255.255.255', '2001:db8::1', '3fff::1', '2001::1', '2001:20::1']],
  ['reserved', ['::127.0.0.1', '::a00:1', '100::1', '5f00::1', '4000::1', '1::1', '::2', '::ffff:0:127.0.0.1']],
  ['reserved', ['', 'localhost', '2130706433', '127.1', '0x7f000001', '[::1]', '10.0.0.1/8']],
])('%s addresses are refused in all their forms: %j', (rule, addresses) => {
  expect(Object.fromEntries(addresses.map((address) => [address, findRule(address)]))).toEqual(
    Object.fromEntries(addresses.map((address) => [address, rule])),
  )
  expect(addresses.every(isForbiddenAddress)).toBe(true)
})

test('public addresses are open, to the last one beside a closed range', () => {
  const open = ['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '126.255.255.255', '128.0.0.1', '172.15.255.255', '172.32.0.0']
  const more = ['100.63.255.255', '100.128.0.0', '169.253.255.255', '169.255.0.0', '192.167.255.255', '192.169.0.0', '223.255.255.255']
  const six = ['2606:4700::1111', '2a00:1450::1', '2001:4860:4860::8888', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:808:808::1']

  expect([...open, ...more, ...six].filter(isForbiddenAddress)).toEqual([])
})

test('the operator opens ranges, and nothing beside them', () => {
  const opened = createAddressRules(['10.1.0.0/16', 'fd00:1::/32', '127.0.0.1/32'])

  const inside = ['10.1.0.1', '10.1.255.255', '::ffff:10.1.0.1', '64:ff9b::a01:1', 'fd00:1::5', '127.0.0.1']
  expect(inside.filter(opened.isForbiddenAddress)).toEqual([])
  const outside = ['10.0.255.255', '10.2.0.0', 'fd00:2::5', '127.0.0.2', '::1', '169.254.169.254']
  expect(outside.filter((address) => !opened.isForbiddenAddress(address))).toEqual([])
})

test('a range is an address, a slash and a prefix', () => {
  expect(['10.0.0.0/8', '0.0.0.0/0', '127.0.0.1/32', 'fd00::/8', '::1/128', '::/0'].map(findCidrProblem)).toEqual(Array(6).fill(undefined))
  const wrong = ['', '10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0/8', 'x/8', '/8', '::/129', 'fd00::/0x8']
  expect(wrong.filter((cidr) => findCidrProblem(cidr) === undefined)).toEqual([])
})
