import type { ServerOperation } from '../../tools/server-operation.ts'
import { toToolName } from '../../tools/tool-names.ts'
import type { PluginOperation } from './workflow-plugins.ts'

/**
 * The operation that a canvas means: of its name, of its id (an operation may have it as `x-api-id`), or the only one there is. A
 * canvas that comes from elsewhere brings an id that nobody here knows.
 */
export function findOperation(operations: ServerOperation[], { apiId, apiName }: PluginOperation): ServerOperation | undefined {
  const [only, ...others] = operations
  return findNamed(operations, apiName) ?? findNamed(operations, apiId) ?? (others.length === 0 ? only : undefined)
}

function findNamed(operations: ServerOperation[], name: string): ServerOperation | undefined {
  if (name === '') return undefined
  const exact = operations.find((each) => each.name === name || each.aliases.includes(name))
  return exact ?? operations.find((each) => hasLetters(name) && each.name === toToolName(name))
}

/** Without any, every name would come out as the same word. */
const hasLetters = (name: string) => /[a-zA-Z0-9_-]/.test(name)
