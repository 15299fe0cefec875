import type { Command } from 'commander'
import type { KeyPolicy } from '../accounts/key-policy.ts'
import { policySchema } from '../http/console/key-policy-wire.ts'
import { toPolicy } from '../http/key-policy-of-wire.ts'
import { firstIssue } from '../http/validation.ts'
import { AppError } from '../lib/app-error.ts'

/** What the flags of a policy give; absent where none of them is there. */
export type PolicyOptions = {
  actions?: string
  bots?: string
  workflows?: string
  allow?: string
  rpm?: string
  concurrent?: string
  tokensPerDay?: string
  tokensPerMonth?: string
}

export const withPolicyOptions = (command: Command): Command =>
  command
    .option('--actions <list>', 'what it may do: chat, read, files, workflows, manage; everything without')
    .option('--bots <ids>', 'the only bots it sees, separated by commas, or none')
    .option('--workflows <ids>', 'the only workflows it sees, separated by commas, or none')
    .option('--allow <ranges>', 'addresses it may be used from, such as 10.0.0.0/8,2001:db8::/32')
    .option('--rpm <number>', 'requests per minute')
    .option('--concurrent <number>', 'runs at the same time')
    .option('--tokens-per-day <number>', 'budget of a day in UTC')
    .option('--tokens-per-month <number>', 'budget of a month in UTC')

/** Undefined when no flag is given. With `before`, a flag changes its own limit; `any` takes it away. Throws `invalid_request` naming the flag. */
export function toPolicyOption(options: PolicyOptions, before: KeyPolicy = {}): KeyPolicy | undefined {
  const given: Record<string, unknown> = {
    ...{ actions: toList(options.actions), bot_ids: toIds(options.bots), workflow_ids: toIds(options.workflows) },
    ...{ allowed_cidrs: toList(options.allow), requests_per_minute: toNumber(options.rpm), concurrent_runs: toNumber(options.concurrent) },
    ...{ tokens_per_day: toNumber(options.tokensPerDay), tokens_per_month: toNumber(options.tokensPerMonth) },
  }
  if (Object.values(given).every((value) => value === undefined)) return undefined

  const parsed = policySchema.safeParse(given)
  if (!parsed.success) throw wrongFlag(parsed.error)
  const changed = toPolicy(parsed.data)
  return { ...before, ...Object.fromEntries(Object.entries(changed).filter(([name]) => given[FIELDS[name] ?? ''] !== undefined)) }
}

/** Of a policy's limits, by the names in code. */
const FIELDS: Record<string, string> = {
  ...{ actions: 'actions', botIds: 'bot_ids', workflowIds: 'workflow_ids', allowedCidrs: 'allowed_cidrs' },
  ...{ requestsPerMinute: 'requests_per_minute', concurrentRuns: 'concurrent_runs' },
  ...{ tokensPerDay: 'tokens_per_day', tokensPerMonth: 'tokens_per_month' },
}

const FLAGS: Record<string, string> = {
  ...{ actions: '--actions', bot_ids: '--bots', workflow_ids: '--workflows', allowed_cidrs: '--allow' },
  ...{ requests_per_minute: '--rpm', concurrent_runs: '--concurrent' },
  ...{ tokens_per_day: '--tokens-per-day', tokens_per_month: '--tokens-per-month' },
}

function wrongFlag(error: Parameters<typeof firstIssue>[0]): AppError {
  const issue = firstIssue(error)
  return new AppError('invalid_request', `${FLAGS[String(issue?.path[0])] ?? 'policy'} ${issue?.message ?? 'is not valid'}`)
}

const ANY = 'any'

/** Null takes the limit away. */
function toList(text: string | undefined): string[] | null | undefined {
  if (text === undefined) return undefined
  return text === ANY ? null : text.split(',').flatMap((part) => part.trim() || [])
}

const toIds = (text: string | undefined): string[] | null | undefined => (text === 'none' ? [] : toList(text))

function toNumber(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined
  return text === ANY ? null : Number(text)
}
