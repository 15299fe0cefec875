import { describe, expect, test } from 'vitest'
import { nameProblems } from './name-rules.ts'

describe('file names', () => {
  test('lets a file be that says what is inside', () => {
    expect(
      nameProblems(['server/src/bots/bot-store.ts', 'server/src/bots/bot-store.test.ts', 'server/src/db/migrations/0001-accounts.ts']),
    ).toEqual([])
  })

  test('takes the same name in another workspace', () => {
    expect(nameProblems(['sdk/src/core/sse-stream.ts', 'server/src/http/sse-stream.ts', 'bench/sse-stream.ts'])).toEqual([])
  })

  test('refuses two files that one search would find', () => {
    const problems = nameProblems(['server/src/bots/store.ts', 'server/src/files/store.ts'])
    expect(problems).toEqual(['server/src/bots/store.ts, server/src/files/store.ts: one name for 2 files'])
  })

  test.each([
    'server/src/lib/utils.ts',
    'server/src/accounts/account-manager.ts',
    'console/src/common/button.tsx',
    'server/src/chat/chat.types.ts',
  ])('refuses the drawer %s', (file) => {
    expect(nameProblems([file])).toEqual([expect.stringContaining('says nothing')])
  })

  test('a word that only holds a drawer is not one', () => {
    expect(nameProblems(['server/src/db/database.ts', 'server/src/http/prototypes.ts'])).toEqual([])
  })

  test.each(['server/src/botStore.ts', 'server/src/Bots/list-bots.ts', 'server/src/bot_store.ts'])(
    'refuses %s, which is not kebab-case',
    (file) => {
      expect(nameProblems([file])).toEqual([expect.stringContaining('is not kebab-case')])
    },
  )
})
