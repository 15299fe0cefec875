import { AppError } from '../lib/app-error.ts'
import { isWithinCidr } from '../lib/cidr.ts'
import { parseStoredPolicy, toStoredPolicy } from './key-policy.ts'
import type { KeyPolicy } from './key-policy.ts'

/**
 * What a key may give to another one: nothing that it has not itself. What is not asked for is what the maker has. Throws `forbidden`,
 * which names the field.
 */
export function boundPolicy(wanted: KeyPolicy, maker: KeyPolicy): KeyPolicy {
  const field = findExcess(wanted, maker)
  if (field !== undefined) throw new AppError('forbidden', `policy.${field}: a key gives no more than it has itself`)
  // what is undefined in the one must not hide what the other has
  return { ...maker, ...parseStoredPolicy(toStoredPolicy(wanted)) }
}

/** Whether a key with this policy can do nothing that the other one cannot. */
export function isPolicyWithin(policy: KeyPolicy, outer: KeyPolicy): boolean {
  const given = limitsOf(policy)
  const hasEveryLimit = limitsOf(outer).every((name) => given.includes(name))
  return hasEveryLimit && findExcess(policy, outer) === undefined
}

// what is undefined is not in the JSON
const limitsOf = (policy: KeyPolicy): string[] => Object.keys(parseStoredPolicy(toStoredPolicy(policy)) ?? {})

const isSubset = (inner: readonly string[], outer: readonly string[]): boolean => inner.every((each) => outer.includes(each))

const areInside = (inner: readonly string[], outer: readonly string[]): boolean =>
  inner.every((cidr) => outer.some((range) => isWithinCidr(cidr, range)))

/** By the names that callers know. */
const LISTS = [
  ['actions', 'actions', isSubset],
  ['botIds', 'bot_ids', isSubset],
  ['workflowIds', 'workflow_ids', isSubset],
  ['allowedCidrs', 'allowed_cidrs', areInside],
] as const
const NUMBERS = [
  ['requestsPerMinute', 'requests_per_minute'],
  ['concurrentRuns', 'concurrent_runs'],
  ['tokensPerDay', 'tokens_per_day'],
  ['tokensPerMonth', 'tokens_per_month'],
] as const

/** The first field that is given and goes beyond the other policy. */
function findExcess(policy: KeyPolicy, outer: KeyPolicy): string | undefined {
  for (const [name, field, isInside] of LISTS) {
    const [inner, most] = [policy[name], outer[name]]
    if (inner && most && !isInside(inner, most)) return field
  }
  return NUMBERS.find(([name]) => (policy[name] ?? 0) > (outer[name] ?? Infinity))?.[1]
}
