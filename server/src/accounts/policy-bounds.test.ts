import { describe, expect, test } from 'vitest'
import type { KeyPolicy } from './key-policy.ts'
import { boundPolicy, isPolicyWithin } from './policy-bounds.ts'

const MAKER: KeyPolicy = {
  ...{ actions: ['chat', 'read'], botIds: ['1', '2'], workflowIds: [], allowedCidrs: ['10.0.0.0/8', '2001:db8::/32'] },
  ...{ requestsPerMinute: 60, concurrentRuns: 5, tokensPerDay: 100, tokensPerMonth: 1_000 },
}

describe('what a key may give', () => {
  test('what is not asked for is what the maker has', () => {
    expect(boundPolicy({}, MAKER)).toEqual(MAKER)
    expect(boundPolicy({ botIds: undefined, actions: ['chat'] }, MAKER)).toEqual({ ...MAKER, actions: ['chat'] })
    expect(boundPolicy({ botIds: ['7'] }, {})).toEqual({ botIds: ['7'] })
  })

  test.each<[KeyPolicy, string]>([
    [{ actions: ['chat', 'manage'] }, 'actions'],
    [{ botIds: ['1', '3'] }, 'bot_ids'],
    [{ workflowIds: ['1'] }, 'workflow_ids'],
    [{ allowedCidrs: ['10.1.0.0/16', '11.0.0.1/32'] }, 'allowed_cidrs'],
    [{ allowedCidrs: ['0.0.0.0/0'] }, 'allowed_cidrs'],
    [{ requestsPerMinute: 61 }, 'requests_per_minute'],
    [{ concurrentRuns: 6 }, 'concurrent_runs'],
    [{ tokensPerDay: 101 }, 'tokens_per_day'],
    [{ tokensPerMonth: 1_001 }, 'tokens_per_month'],
  ])('%j is refused', (wanted, field) => {
    expect(() => boundPolicy(wanted, MAKER)).toThrow(`policy.${field}: a key gives no more than it has itself`)
    expect(isPolicyWithin({ ...MAKER, ...wanted }, MAKER)).toBe(false)
  })

  test.each<[KeyPolicy]>([
    [{ actions: ['read'] }],
    [{ botIds: [] }],
    [{ allowedCidrs: ['10.1.0.0/16', '2001:db8:1::/48'] }],
    [{ requestsPerMinute: 1, concurrentRuns: 5 }],
  ])('%j is given', (wanted) => {
    expect(boundPolicy(wanted, MAKER)).toEqual({ ...MAKER, ...wanted })
    expect(isPolicyWithin({ ...MAKER, ...wanted }, MAKER)).toBe(true)
  })

  test('who lacks a limit that the other has is not within it', () => {
    for (const name of Object.keys(MAKER)) expect(isPolicyWithin({ ...MAKER, [name]: undefined }, MAKER), name).toBe(false)
    expect(isPolicyWithin({}, {})).toBe(true)
    expect(isPolicyWithin(MAKER, {})).toBe(true)
  })
})
