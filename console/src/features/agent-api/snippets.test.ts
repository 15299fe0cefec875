import { describe, expect, test } from 'vitest'
import { SNIPPETS, writeSnippet } from './snippets.ts'

const FACTS = { baseUrl: 'https://agents.example', agentId: '7391', apiKey: 'pat_x', question: 'Hi' }

describe.each(SNIPPETS)('the snippet of %s', (kind) => {
  test.each([true, false])('has the real address and key, as a stream: %s', (isStream) => {
    const code = writeSnippet(kind, { ...FACTS, isStream })
    expect(code).toContain('https://agents.example')
    expect(code).toContain('pat_x')
    if (kind !== 'mcp') expect(code).toContain('7391')
  })
})
