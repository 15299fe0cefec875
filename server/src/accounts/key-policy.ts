import { createCidrMatcher } from '../lib/cidr.ts'

/** What can be done with a key. Each route of the API names the one that it takes. */
export const ACTIONS = ['chat', 'read', 'files', 'workflows', 'manage'] as const
export type Action = (typeof ACTIONS)[number]

/** What a key may do, and how much. What is absent is not limited. */
export type KeyPolicy = {
  actions?: Action[]
  /** What is not listed does not exist for the key. */
  botIds?: string[]
  workflowIds?: string[]
  /** Canonical: see `canonicalCidr`. */
  allowedCidrs?: string[]
  requestsPerMinute?: number
  concurrentRuns?: number
  /** Of days and months in UTC; what models have read and written together. */
  tokensPerDay?: number
  tokensPerMonth?: number
}

/** What a publishable token is bound to. */
export type TokenScope = { botId: string; endUser: string; origins: string[] }

/** A policy made ready to ask. Absent in the principal of a key that is not limited at all. */
export type KeyAccess = {
  policy: KeyPolicy
  /** Undefined: all. */
  actions: ReadonlySet<Action> | undefined
  botIds: ReadonlySet<string> | undefined
  workflowIds: ReadonlySet<string> | undefined
  /** Undefined: any address. */
  isAllowedAddress: ((address: string) => boolean) | undefined
  /** Set when the call came with a token that was made with the key. */
  token: TokenScope | undefined
}

export function toKeyAccess(policy: KeyPolicy): KeyAccess {
  const { actions, botIds, workflowIds, allowedCidrs } = policy
  return {
    policy,
    actions: actions && new Set(actions),
    botIds: botIds && new Set(botIds),
    workflowIds: workflowIds && new Set(workflowIds),
    isAllowedAddress: allowedCidrs && createCidrMatcher(allowedCidrs),
    token: undefined,
  }
}

/** Null is no policy: a key that may do what its owner may. */
export function toStoredPolicy(policy: KeyPolicy | undefined): string | null {
  const json = JSON.stringify(policy ?? {})
  return json === '{}' ? null : json
}

// written by toStoredPolicy: the cast is the parser
export const parseStoredPolicy = (json: string | null): KeyPolicy | undefined =>
  json === null ? undefined : (JSON.parse(json) as KeyPolicy)
