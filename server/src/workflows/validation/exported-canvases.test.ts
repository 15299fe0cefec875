import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeTypes } from '../nodes/node-registry.ts'
import { parseCanvas } from '../canvas/canvas-document.ts'
import type { Canvas } from '../canvas/canvas-document.ts'
import { parseType } from '../canvas/canvas-values.ts'
import { pruneCanvas } from '../canvas/prune-canvas.ts'
import type { ValueType } from '../values/value-type.ts'
import { validateCanvas } from './validate-canvas.ts'
import type { WorkflowIssues } from './validate-canvas.ts'

/** Canvases from real editors, with what the original product is known to say of them. They are not part of this repository. */
const folder = join(import.meta.dirname, '../../../../../shared/workflow/canvases')
const entries = existsSync(folder) ? readIndex() : []

type Entry = { file: string; kind: string; subWorkflows: Record<string, string>; variables: Record<string, string>; expected: Expected }
type Expected = {
  removed?: string[]
  messages?: string[]
  node_errors?: Record<string, string[]>
  path_errors?: Record<string, string>
  first_message?: string
  group0_first_message?: string
  groups?: number
  messages_in_issue?: number
}

const validated = entries.filter(({ kind }) => kind === 'validate')
const pruned = entries.filter(({ kind }) => kind === 'prune')
const running = entries.filter(({ kind }) => ['run', 'node_debug', 'stream_run', 'chat', 'openapi_sync_run'].includes(kind))

test.skipIf(entries.length === 0)('there are canvases of every kind', () => {
  expect([validated.length, pruned.length, running.length].every((count) => count > 0)).toBe(true)
})

describe.skipIf(entries.length === 0)('exported canvases', () => {
  test.for(pruned)('$file loses its isolated nodes', ({ file, expected }) => {
    expect(pruneCanvas(readCanvas(file)).removed).toEqual(expected.removed)
  })

  test.for(validated)('$file has the issues that the original finds', async (entry) => {
    const groups = await validateEntry(entry)
    expectIssues(groups, entry.expected)
  })

  test.for(running)('$file runs: it has no issues', async (entry) => {
    expect(await validateEntry(entry)).toEqual([])
  })
})

function expectIssues(groups: WorkflowIssues[], expected: Expected): void {
  const [own] = groups
  const issues = own?.issues ?? []
  const messages = issues.map(({ message }) => message)
  expect(messages.length).toBeGreaterThan(0)
  if (expected.messages) expect(messages.toSorted()).toEqual(expected.messages.toSorted())
  if (expected.messages_in_issue) expect(messages).toHaveLength(expected.messages_in_issue)
  if (expected.groups) expect(groups).toHaveLength(expected.groups)

  const first = expected.first_message ?? expected.group0_first_message
  if (first !== undefined) expect(messages[0]).toBe(first)

  // the original names the end of a line first
  const lines = issues.map(({ edge }) => [edge?.to, edge?.from])
  if (expected.path_errors) expect(Object.fromEntries(lines)).toEqual(expected.path_errors)
  for (const [nodeId, parts] of Object.entries(expected.node_errors ?? {})) {
    const found = issues.filter((issue) => issue.nodeId === nodeId).map(({ message }) => message)
    for (const part of parts) expect(found.join(), nodeId).toContain(part)
  }
}

function validateEntry({ file, subWorkflows, variables }: Entry): Promise<WorkflowIssues[]> {
  const types = new Map(Object.entries(variables).map(([name, words]) => [name, toType(words)]))
  return validateCanvas(readCanvas(file), {
    nodeTypes,
    findVariableType: types.size > 0 ? (_scope, name) => types.get(name) : undefined,
    loadSubWorkflow: async (workflowId, version) => {
      const found = subWorkflows[`${workflowId}@${version}`] ?? subWorkflows[workflowId]
      return found === undefined ? undefined : { name: found, canvas: readCanvas(found) }
    },
  })
}

/** From words such as `list<string>` and `string (required)`. */
function toType(words: string): ValueType {
  const element = /^list<(\w+)>$/.exec(words)?.[1]
  return element === undefined ? parseType({ type: words.split(' ')[0] }, words) : { kind: 'list', element: toType(element) }
}

const readCanvas = (file: string): Canvas => parseCanvas(readFileSync(join(folder, file), 'utf8'))

function readIndex(): Entry[] {
  const { files } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { files: IndexedFile[] }
  const everywhere = Object.assign({}, ...files.flatMap(({ tests }) => tests.map(({ subworkflows }) => subworkflows ?? {})))
  return files.flatMap(({ file, tests }) =>
    tests.map(({ kind, subworkflows, mocks, expect: expected }) => ({
      ...{ file, kind, expected: expected ?? {} },
      subWorkflows: { ...everywhere, ...subworkflows },
      variables: mocks?.app_variables_meta ?? {},
    })),
  )
}

type IndexedFile = {
  file: string
  tests: {
    kind: string
    subworkflows?: Record<string, string>
    mocks?: { app_variables_meta?: Record<string, string> }
    expect?: Expected
  }[]
}
