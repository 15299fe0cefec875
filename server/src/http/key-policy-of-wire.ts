import type { KeyPolicy } from '../accounts/key-policy.ts'
import { AppError } from '../lib/app-error.ts'
import { canonicalCidr } from '../lib/cidr.ts'
import type { ParsedPolicy, ShownPolicy } from './console/key-policy-wire.ts'

/** Throws `invalid_request` for what is no range of addresses. */
export function toPolicy(wire: ParsedPolicy): KeyPolicy {
  return {
    actions: wire.actions ?? undefined,
    botIds: wire.bot_ids ?? undefined,
    workflowIds: wire.workflow_ids ?? undefined,
    allowedCidrs: wire.allowed_cidrs?.map(parseCidr),
    requestsPerMinute: wire.requests_per_minute ?? undefined,
    concurrentRuns: wire.concurrent_runs ?? undefined,
    tokensPerDay: wire.tokens_per_day ?? undefined,
    tokensPerMonth: wire.tokens_per_month ?? undefined,
  }
}

function parseCidr(text: string, index: number): string {
  const cidr = canonicalCidr(text)
  if (cidr !== undefined) return cidr
  throw new AppError(
    'invalid_request',
    `policy.allowed_cidrs.${index}: must be an address or a range such as 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32`,
  )
}

export function toShownPolicy(policy: KeyPolicy): ShownPolicy {
  return {
    actions: policy.actions,
    bot_ids: policy.botIds,
    workflow_ids: policy.workflowIds,
    allowed_cidrs: policy.allowedCidrs,
    requests_per_minute: policy.requestsPerMinute,
    concurrent_runs: policy.concurrentRuns,
    tokens_per_day: policy.tokensPerDay,
    tokens_per_month: policy.tokensPerMonth,
  }
}
