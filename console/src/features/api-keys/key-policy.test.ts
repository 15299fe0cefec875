import { expect, test } from 'vitest'
import type { ShownPolicy } from '../../../../server/src/http/console/key-policy-wire.ts'
import { ApiError } from '../../lib/api-error.ts'
import { refusedFieldOf, toPolicy, toPolicyFields } from './key-policy-form.ts'
import { keyStateOf } from './key-state.ts'
import { toLocalMinute, toOverlapSeconds } from './rotation.ts'

test.each<[string, ShownPolicy | undefined]>([
  ['nothing', undefined],
  ['every action by name, which is not the same as all of them', { actions: ['chat', 'read', 'files', 'workflows', 'manage'] }],
  ['none of the agents', { bot_ids: [] }],
  [
    'everything',
    {
      ...{ actions: ['chat', 'read'], bot_ids: ['1'], workflow_ids: ['2', '3'], allowed_cidrs: ['10.0.0.0/8', '2001:db8::/32'] },
      ...{ requests_per_minute: 60, concurrent_runs: 5, tokens_per_day: 1_000, tokens_per_month: 20_000 },
    },
  ],
])('the form gives back what it was given: %s', (_story, policy) => {
  expect(toPolicy(toPolicyFields(policy))).toEqual(policy)
})

test('actions are sent in one order, addresses without what is between them', () => {
  const fields = { ...toPolicyFields(), actions: ['read' as const, 'chat' as const], allowed_cidrs: ' 10.0.0.1,\n\n 10.0.0.2 ' }
  expect(toPolicy(fields)).toEqual({ actions: ['chat', 'read'], allowed_cidrs: ['10.0.0.1', '10.0.0.2'] })
})

test('a refusal names its field', () => {
  const refused = (message: string, status = 422) => refusedFieldOf(new ApiError({ status, message }))
  expect(refused('policy.allowed_cidrs.3: must be an address')).toEqual({ field: 'allowed_cidrs', index: 3, rule: 'must be an address' })
  expect(refused('policy.tokens_per_day: must be a whole number')).toMatchObject({ field: 'tokens_per_day', index: undefined })
  expect(refused('name: must have 1 to 255 characters')).toMatchObject({ field: 'name' })
  expect(refused('expire: is in the past')).toBeUndefined()
  expect(refused('policy.name: there is no such field')).toBeUndefined()
  expect(refused('policy.actions: must be a list', 500)).toBeUndefined()
})

test('the state that matters most', () => {
  const stateOf = (expiredAt: number, isDisabled = false) => keyStateOf({ expiredAt, isDisabled }, 1_000)
  expect([stateOf(0), stateOf(8 * 86_400_000), stateOf(2_000), stateOf(1_000)]).toEqual(['active', 'active', 'soon', 'expired'])
  expect([stateOf(0, true), stateOf(2_000, true), stateOf(500, true)]).toEqual(['disabled', 'disabled', 'expired'])
})

test('the overlap of a rotation', () => {
  const now = new Date(2026, 0, 5, 12, 30).getTime()
  const until = (ms: number) => toOverlapSeconds({ overlap: 'until', time: toLocalMinute(ms) }, now)
  expect(toOverlapSeconds({ overlap: 'now' }, now)).toBe(0)
  expect(toOverlapSeconds({ overlap: 'hour' }, now)).toBe(3_600)
  expect(until(now + 90 * 60_000)).toBe(5_400)
  expect([until(now), until(now + 31 * 86_400_000), toOverlapSeconds({ overlap: 'until' }, now)]).toEqual([undefined, undefined, undefined])
})
