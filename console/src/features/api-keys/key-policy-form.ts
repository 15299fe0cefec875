import type { ShownPolicy } from '../../../../server/src/http/console/key-policy-wire.ts'
import { ApiError } from '../../lib/api-error.ts'

export type Action = NonNullable<ShownPolicy['actions']>[number]
/** In the order in which they are shown. */
export const ACTIONS: readonly Action[] = ['chat', 'read', 'files', 'workflows', 'manage']

export const LIMITS = ['requests_per_minute', 'concurrent_runs', 'tokens_per_day', 'tokens_per_month'] as const
export type Limit = (typeof LIMITS)[number]

/** A policy as its form has it: an undefined list is everything, an empty one nothing; an empty field is no limit. */
export type PolicyFields = Pick<ShownPolicy, 'actions' | 'bot_ids' | 'workflow_ids'> & {
  /** One in each line. */
  allowed_cidrs: string
} & Record<Limit, number | null>

export function toPolicyFields({ allowed_cidrs, actions, bot_ids, workflow_ids, ...limits }: ShownPolicy = {}): PolicyFields {
  const none = { requests_per_minute: null, concurrent_runs: null, tokens_per_day: null, tokens_per_month: null }
  return { actions, bot_ids, workflow_ids, allowed_cidrs: allowed_cidrs?.join('\n') ?? '', ...none, ...limits }
}

/** Undefined where nothing is limited. */
export function toPolicy({ allowed_cidrs, actions, bot_ids, workflow_ids, ...limits }: PolicyFields): ShownPolicy | undefined {
  const cidrs = linesOf(allowed_cidrs)
  const policy: ShownPolicy = {
    ...(actions && { actions: ACTIONS.filter((action) => actions.includes(action)) }),
    ...(bot_ids && { bot_ids }),
    ...(workflow_ids && { workflow_ids }),
    ...(cidrs.length > 0 && { allowed_cidrs: cidrs }),
  }
  for (const name of LIMITS) {
    const most = limits[name]
    if (typeof most === 'number') policy[name] = most
  }
  return Object.keys(policy).length === 0 ? undefined : policy
}

export const isSamePolicy = (one: PolicyFields, other: PolicyFields): boolean =>
  JSON.stringify(toPolicy(one)) === JSON.stringify(toPolicy(other))

/** Addresses are told from each other by lines, and by commas and spaces of whoever pastes them so. */
export const linesOf = (text: string): string[] => text.split(/[\s,;]+/).filter((line) => line !== '')

export type RefusedField = {
  field: 'name' | keyof PolicyFields
  /** Which one of a list. */
  index: number | undefined
  /** The server's words. */
  rule: string
}

const FIELDS = ['actions', 'bot_ids', 'workflow_ids', 'allowed_cidrs', ...LIMITS] as const

/** The field that the server has refused: its message begins with the path, as in `policy.allowed_cidrs.1: must be …`. */
export function refusedFieldOf(error: unknown): RefusedField | undefined {
  if (!(error instanceof ApiError) || error.failure !== 'refused') return undefined
  const [, prefix, name, index, rule] = /^(policy\.)?([a-z_]+)(?:\.(\d+))?: (.+)$/.exec(error.message) ?? []
  const field = prefix === undefined ? (name === 'name' ? name : undefined) : FIELDS.find((each) => each === name)
  return field && rule !== undefined ? { field, index: index === undefined ? undefined : Number(index), rule } : undefined
}
