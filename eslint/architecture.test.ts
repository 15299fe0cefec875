import { join } from 'node:path'
import type { Rule } from 'eslint'
import { Linter } from 'eslint'
import tseslint from 'typescript-eslint'
import { describe, expect, test } from 'vitest'
import { consoleLayers, layers, packageHomes } from './architecture.ts'
import { createFeatureRule } from './feature-rule.ts'
import { createLayerRule } from './layer-rule.ts'
import { createPackageHomeRule } from './package-home-rule.ts'

const root = join(import.meta.dirname, 'src')

describe('the order of layers', () => {
  const problems = (file: string, code: string) => lint(createLayerRule(root, layers), file, code)

  test.each([
    ['its own folder', 'chat/agent-loop.ts', `import { x } from './start-run.ts'`],
    ['a lower layer', 'chat/agent-loop.ts', `import { x } from '../models/adapter.ts'`],
    ['a lower layer from a nested folder', 'http/open/open-chat.ts', `import { x } from '../../chat/start-run.ts'`],
    ['a file that is a layer of its own', 'cli.ts', `import { x } from './app.ts'`],
    ['a package', 'lib/ids.ts', `import { z } from 'zod'`],
  ])('lets a file import %s', (_what, file, code) => {
    expect(problems(file, code)).toEqual([])
  })

  test.each([
    ['a higher layer', `import { x } from '../http/sse.ts'`],
    ['a type of a higher layer', `import type { X } from '../http/sse.ts'`],
    ['a higher layer, handed on', `export { x } from '../http/sse.ts'`],
    ['a higher layer, at run time', `const x = await import('../http/sse.ts')`],
  ])('refuses %s', (_what, code) => {
    expect(problems('chat/agent-loop.ts', code)).toEqual([expect.stringContaining('"chat" must not import "http"')])
  })

  test('keeps layers of one line apart', () => {
    expect(problems('files/file-store.ts', `import { x } from '../accounts/principal.ts'`)).toHaveLength(1)
    expect(problems('db/database.ts', `import { x } from '../cluster/lease.ts'`)).toHaveLength(1)
  })

  test('asks for a place for a folder it does not know', () => {
    expect(problems('gadgets/gadget.ts', '')).toEqual([expect.stringContaining('"gadgets" has no place')])
    expect(problems('app.ts', `import { x } from './gadgets/gadget.ts'`)).toEqual([expect.stringContaining('"gadgets" has no place')])
  })

  test('lets tests, and only tests, reach their support outside of src', () => {
    const code = `import { x } from '../../test/support/server.ts'`
    expect(problems('chat/start-run.test.ts', code)).toEqual([])
    expect(problems('chat/start-run.ts', code)).toEqual(['Only tests import from outside of src.'])
  })
})

describe('the console', () => {
  const layerProblems = (file: string, code: string) => lint(createLayerRule(root, consoleLayers), file, code)
  const featureProblems = (file: string, code: string) => lint(createFeatureRule(root), file, code)

  test('pages put features together, features stand on ui and lib', () => {
    expect(layerProblems('app/pages/keys-page.tsx', `import { x } from '../../features/keys/key-list.tsx'`)).toEqual([])
    expect(layerProblems('features/keys/key-list.tsx', `import { x } from '../../ui/empty-state.tsx'`)).toEqual([])
    expect(layerProblems('ui/empty-state.tsx', `import { x } from '../features/keys/key-list.tsx'`)).toHaveLength(1)
    expect(layerProblems('features/keys/key-list.tsx', `import { x } from '../../app/entrance.tsx'`)).toHaveLength(1)
  })

  test('features do not know each other', () => {
    expect(featureProblems('features/keys/key-list.tsx', `import { x } from './key-row.tsx'`)).toEqual([])
    expect(featureProblems('features/keys/rows/key-row.tsx', `import { x } from '../key-list.tsx'`)).toEqual([])
    const other = `import { x } from '../agents/agent-list.tsx'`
    expect(featureProblems('features/keys/key-list.tsx', other)).toEqual([expect.stringContaining('must not import the feature "agents"')])
  })

  test('of the server only the shapes of requests and answers may be known', () => {
    const wire = `import type { X } from '../../../../server/src/http/console/key-wire.ts'`
    expect(layerProblems('features/keys/key-list.tsx', wire)).toEqual([])
    expect(layerProblems('features/keys/key-list.tsx', `import type { X } from '../../../../server/src/app.ts'`)).toHaveLength(1)
  })
})

describe('the home of a package', () => {
  const problems = (file: string, code: string) => lint(createPackageHomeRule(root, packageHomes), file, code)

  test('stores build queries, and nothing else does', () => {
    const code = `import { sql } from 'kysely'`
    expect(problems('bots/bot-store.ts', code)).toEqual([])
    expect(problems('db/migrations/0001-accounts.ts', code)).toEqual([])
    expect(problems('bots/publish-bot.ts', code)).toEqual([expect.stringContaining('"kysely" is imported only by **/*-store.ts')])
  })

  test('covers a scope and the files inside a package', () => {
    expect(problems('chat/agent-loop.ts', `import { x } from '@fastify/cors'`)).toHaveLength(1)
    expect(problems('bots/bot-store.ts', `import { x } from 'mysql2/promise'`)).toHaveLength(1)
    expect(problems('http/server.ts', `import { x } from '@fastify/cors'`)).toEqual([])
  })

  test('does not mistake one name for another', () => {
    expect(problems('chat/agent-loop.ts', `import { x } from 'fastify-like'`)).toEqual([])
  })
})

function lint(rule: Rule.RuleModule, file: string, code: string): string[] {
  const messages = new Linter({ cwd: root }).verify(
    code,
    {
      files: ['**/*.{ts,tsx}'],
      languageOptions: { parser: tseslint.parser },
      plugins: { local: { rules: { rule } } },
      rules: { 'local/rule': 'error' },
    },
    join(root, file),
  )
  return messages.map(({ message }) => message)
}
