import { z } from 'zod'
import { idField } from '../open/open-fields.ts'

const MAX_IDS = 500
const MAX_CIDRS = 100

const IDS_RULE = `must be a list of at most ${MAX_IDS} ids`
const idsField = z
  .array(idField, IDS_RULE)
  .max(MAX_IDS, IDS_RULE)
  .transform((ids) => [...new Set(ids)])
  .nullish()

/** What can be done with a key, in the order in which it is shown. */
export const ACTIONS = ['chat', 'read', 'files', 'workflows', 'manage'] as const
const ACTIONS_RULE = `must be a list of one or more of ${ACTIONS.join(', ')}`
const actionsField = z
  .array(z.enum(ACTIONS, ACTIONS_RULE), ACTIONS_RULE)
  .min(1, ACTIONS_RULE)
  // in one order, each once
  .transform((actions) => ACTIONS.filter((action) => actions.includes(action)))
  .nullish()

const CIDRS_RULE = `must be a list of 1 to ${MAX_CIDRS} addresses or ranges such as 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32`
const cidrsField = z.array(z.string(CIDRS_RULE), CIDRS_RULE).min(1, CIDRS_RULE).max(MAX_CIDRS, CIDRS_RULE).nullish()

function limitField(most: number) {
  const rule = `must be a whole number from 1 to ${most}`
  return z.int(rule).min(1, rule).max(most, rule).nullish()
}

const UNKNOWN_FIELD = 'there is no such field in a policy'

/** What a key may do and how much. What is absent or null is not limited; an empty list of ids is none at all. */
export const policySchema = z.strictObject(
  {
    actions: actionsField,
    bot_ids: idsField,
    workflow_ids: idsField,
    allowed_cidrs: cidrsField,
    requests_per_minute: limitField(1_000_000),
    concurrent_runs: limitField(10_000),
    tokens_per_day: limitField(Number.MAX_SAFE_INTEGER),
    tokens_per_month: limitField(Number.MAX_SAFE_INTEGER),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? `${issue.keys.join(', ')}: ${UNKNOWN_FIELD}` : 'must be an object') },
)

/** As it is shown: limits alone. */
export const shownPolicySchema = z.object({
  actions: z.array(z.enum(ACTIONS)).optional(),
  bot_ids: z.array(z.string()).optional(),
  workflow_ids: z.array(z.string()).optional(),
  allowed_cidrs: z.array(z.string()).optional(),
  requests_per_minute: z.number().optional(),
  concurrent_runs: z.number().optional(),
  tokens_per_day: z.number().optional(),
  tokens_per_month: z.number().optional(),
})

export type PolicyWire = z.input<typeof policySchema>
export type ParsedPolicy = z.output<typeof policySchema>
export type ShownPolicy = z.infer<typeof shownPolicySchema>
