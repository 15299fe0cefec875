import { BlockList, isIP } from 'node:net'

/** Why a URL of a user may not lead to an address. */
export type AddressRule =
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'link_local'
  | 'metadata' // where clouds give machines their credentials
  | 'shared' // carrier-grade NAT
  | 'multicast'
  | 'reserved'

export interface AddressRules {
  /** The rule that keeps users' URLs away from this IP address; undefined for a public one and for one the operator has opened. */
  findRule(address: string): AddressRule | undefined
  /** True also for what is no IP address. */
  isForbiddenAddress(address: string): boolean
}

/** `allowedCidrs` are the ranges that the operator opens: see `findCidrProblem`. */
export function createAddressRules(allowedCidrs: string[]): AddressRules {
  const opened = new BlockList()
  for (const cidr of allowedCidrs) addRange(opened, cidr)

  function findRule(address: string): AddressRule | undefined {
    const [plain = ''] = address.split('%')
    const family = familyOf(plain)
    if (!family) return 'reserved'
    if (opened.check(plain, family)) return undefined
    if (family === 'ipv4') return findRuleIn(rulesV4, plain, 'ipv4')

    const embedded = embeddedV4(plain)
    return embedded === undefined ? findRuleV6(plain) : findRule(embedded)
  }

  return { findRule, isForbiddenAddress: (address) => findRule(address) !== undefined }
}

/** What is wrong with a range such as `10.0.0.0/8`; undefined when it is one. */
export function findCidrProblem(cidr: string): string | undefined {
  const [address = '', prefix, ...rest] = cidr.split('/')
  const family = isIP(address)
  const max = family === 4 ? 32 : 128
  const isRange = family !== 0 && rest.length === 0 && prefix !== undefined && /^\d{1,3}$/.test(prefix) && Number(prefix) <= max
  return isRange ? undefined : `${cidr} is no range such as 10.0.0.0/8 or fd00::/8`
}

/** First match counts. The metadata addresses are those of AWS, Google, Azure, Oracle and Alibaba. */
const rulesV4 = toBlockLists({
  metadata: ['169.254.169.254/32', '169.254.170.2/32', '168.63.129.16/32', '192.0.0.192/32', '100.100.100.200/32'],
  unspecified: ['0.0.0.0/8'],
  loopback: ['127.0.0.0/8'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  link_local: ['169.254.0.0/16'],
  shared: ['100.64.0.0/10'],
  multicast: ['224.0.0.0/4'],
  reserved: [...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'], '240.0.0.0/4'],
})

const rulesV6 = toBlockLists({
  metadata: ['fd00:ec2::/32', 'fd20:ce::254/128'],
  unspecified: ['::/128'],
  loopback: ['::1/128'],
  private: ['fc00::/7', 'fec0::/10', '64:ff9b:1::/48'],
  link_local: ['fe80::/10'],
  multicast: ['ff00::/8'],
  // of the public range: protocol assignments with Teredo and ORCHID, documentation
  reserved: ['2001::/23', '2001:db8::/32', '3fff::/20'],
})

const publicV6 = new BlockList()
addRange(publicV6, '2000::/3')

/** What is not given out for public use is refused, also where it has no name. */
function findRuleV6(address: string): AddressRule | undefined {
  return findRuleIn(rulesV6, address, 'ipv6') ?? (publicV6.check(address, 'ipv6') ? undefined : 'reserved')
}

type Range = { rule: AddressRule; addresses: BlockList }

function findRuleIn(ranges: Range[], address: string, family: 'ipv4' | 'ipv6'): AddressRule | undefined {
  return ranges.find(({ addresses }) => addresses.check(address, family))?.rule
}

function toBlockLists(cidrsOf: Partial<Record<AddressRule, string[]>>): Range[] {
  const rules = ['metadata', 'unspecified', 'loopback', 'private', 'link_local', 'shared', 'multicast', 'reserved'] as const
  return rules.map((rule) => {
    const addresses = new BlockList()
    for (const cidr of cidrsOf[rule] ?? []) addRange(addresses, cidr)
    return { rule, addresses }
  })
}

function addRange(list: BlockList, cidr: string): void {
  const [address = '', prefix] = cidr.split('/')
  list.addSubnet(address, Number(prefix), familyOf(address) ?? 'ipv4')
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const family = isIP(address)
  return family === 0 ? undefined : family === 4 ? 'ipv4' : 'ipv6'
}

/** The IPv4 address that packets to this one end up at: mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96), 6to4 (2002::/16). */
function embeddedV4(address: string): string | undefined {
  const groups = toGroups(address)
  const startsWith = (...start: number[]) => start.every((group, at) => groups[at] === group)

  if (startsWith(0, 0, 0, 0, 0, 0xffff) || startsWith(0x64, 0xff9b, 0, 0, 0, 0)) return toV4(groups[6], groups[7])
  if (startsWith(0x2002)) return toV4(groups[1], groups[2])
  return undefined
}

/** The eight groups of an IPv6 address; the URL parser brings every notation into hexadecimal groups with at most one `::`. */
export function toGroups(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const parse = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const [start, end] = [parse(head), parse(tail ?? '')]
  return tail === undefined ? start : [...start, ...Array.from({ length: 8 - start.length - end.length }, () => 0), ...end]
}

const toV4 = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.')
