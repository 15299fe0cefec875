import { describe, expect, test } from 'vitest'
import { toPolicyOption } from './key-options.ts'

describe('the flags of a policy', () => {
  test('none of them: no policy', () => expect(toPolicyOption({})).toBeUndefined())

  test('all of them', () => {
    expect(
      toPolicyOption({
        ...{ actions: 'read, chat', bots: '1,2', workflows: 'none', allow: '10.0.0.0/8,::1', rpm: '60', concurrent: '5' },
        ...{ tokensPerDay: '1000', tokensPerMonth: '20000' },
      }),
    ).toEqual({
      ...{ actions: ['chat', 'read'], botIds: ['1', '2'], workflowIds: [], allowedCidrs: ['10.0.0.0/8', '::1/128'] },
      ...{ requestsPerMinute: 60, concurrentRuns: 5, tokensPerDay: 1_000, tokensPerMonth: 20_000 },
    })
  })

  test('a flag changes its own limit, or takes it away', () => {
    const before = { botIds: ['1'], requestsPerMinute: 60 }
    expect(toPolicyOption({ rpm: '5' }, before)).toEqual({ botIds: ['1'], requestsPerMinute: 5 })
    expect(toPolicyOption({ bots: 'any' }, before)).toEqual({ botIds: undefined, requestsPerMinute: 60 })
    expect(toPolicyOption({ rpm: 'any' }, before)).toEqual({ botIds: ['1'], requestsPerMinute: undefined })
  })

  test.each([
    [{ actions: 'fly' }, /^--actions must be a list of one or more of chat/],
    [{ bots: 'x' }, /^--bots must be a positive whole number/],
    [{ allow: '10.0.0.0/99' }, /^policy\.allowed_cidrs\.0: must be an address or a range/],
    [{ rpm: 'many' }, /^--rpm must be a whole number from 1 to 1000000$/],
    [{ concurrent: '0' }, /^--concurrent must be a whole number from 1 to 10000$/],
    [{ tokensPerDay: '-5' }, /^--tokens-per-day must be a whole number/],
  ])('%j is refused', (options, message) => expect(() => toPolicyOption(options)).toThrow(message))
})
