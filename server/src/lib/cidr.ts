import { isIP } from 'node:net'
import { toGroups } from './address-rules.ts'

/** A range of addresses, as two numbers. IPv4 addresses that are written as IPv6 (::ffff:1.2.3.4) count as what they are. */
type Range = { family: 4 | 6; first: bigint; prefix: number }

/** How a range is written: `10.0.0.0/8`, `2001:db8::/32`; a single address is a range of one. Undefined for what is none. */
export function canonicalCidr(text: string): string | undefined {
  const range = parseRange(text)
  return range && `${range.family === 4 ? writeV4(range.first) : writeV6(range.first)}/${range.prefix}`
}

/** True for an address within one of the ranges; false also for what is no address. */
export function createCidrMatcher(cidrs: string[]): (address: string) => boolean {
  const ranges = cidrs.flatMap((cidr) => parseRange(cidr) ?? [])
  return (address) => {
    const single = parseRange(address.split('%')[0] ?? '')
    return single !== undefined && ranges.some((range) => holds(range, single))
  }
}

/** True when every address of `inner` is one of `outer`. */
export function isWithinCidr(inner: string, outer: string): boolean {
  const [part, whole] = [parseRange(inner), parseRange(outer)]
  return part !== undefined && whole !== undefined && holds(whole, part)
}

const holds = (outer: Range, inner: Range): boolean =>
  outer.family === inner.family && inner.prefix >= outer.prefix && startOf(inner.first, outer) === outer.first

function parseRange(text: string): Range | undefined {
  const [, address = '', given] = RANGE.exec(text.trim()) ?? []
  const family = isIP(address)
  if (family === 0) return undefined

  const bits = family === 4 ? 32 : 128
  const prefix = given === undefined ? bits : Number(given)
  if (prefix > bits) return undefined
  if (family === 4) return toRange(4, toNumber(address.split('.').map(Number), 8n), prefix)

  const value = toNumber(toGroups(address), 16n)
  const isMapped = value >> 32n === MAPPED && prefix >= 96
  return isMapped ? toRange(4, value & 0xffff_ffffn, prefix - 96) : toRange(6, value, prefix)
}

// without a zone, which names an interface of this machine and is no part of an address
const RANGE = /^([^/%]*)(?:\/(\d{1,3}))?$/

/** What stands above the last 32 bits of a mapped IPv4 address. */
const MAPPED = 0xffffn

function toRange(family: 4 | 6, value: bigint, prefix: number): Range {
  return { family, prefix, first: startOf(value, { family, prefix }) }
}

function startOf(value: bigint, { family, prefix }: Pick<Range, 'family' | 'prefix'>): bigint {
  const free = BigInt((family === 4 ? 32 : 128) - prefix)
  return (value >> free) << free
}

const toNumber = (parts: number[], bits: bigint): bigint => parts.reduce((sum, part) => (sum << bits) | BigInt(part), 0n)

const writeV4 = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')

/** The URL parser writes the shortest form. */
function writeV6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - at * 16)) & 0xffffn).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
