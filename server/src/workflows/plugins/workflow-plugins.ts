import type { Principal } from '../../accounts/principal.ts'
import type { Db } from '../../db/database.ts'
import { GuardedFetchError } from '../../lib/guarded-fetch.ts'
import { untilAborted } from '../../lib/linked-abort.ts'
import type { ServerOperation } from '../../tools/server-operation.ts'
import { ToolFailure } from '../../tools/tool-call.ts'
import type { ToolSets } from '../../tools/tool-set.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { Value, ValueObject } from '../values/value.ts'
import { findOperation } from './find-operation.ts'
import { parseAnswer } from './plugin-answer.ts'
import { findMissing, toArguments, toFlatSchema } from './plugin-arguments.ts'
import { findPlugin } from './plugin-store.ts'

/** The plugins of the workflow's owner: operations of OpenAPI documents and tools of MCP servers. */
export interface WorkflowPlugins {
  /** Its JSON answer; a text that is no JSON is `{ output: text }`. Rejects with a NodeError, or with the signal's reason. */
  call(operation: PluginOperation, args: ValueObject, options: { signal: AbortSignal }): Promise<Value>
  /** As a tool for a model. Rejects with a NodeError when there is no such operation, or with the signal's reason. */
  describe(operation: PluginOperation, options: { signal: AbortSignal }): Promise<PluginTool>
}

/** As canvases name it. */
export type PluginOperation = { pluginId: string; apiId: string; apiName: string }

/** `parameters` is a JSON Schema. */
export type PluginTool = { name: string; description: string; parameters: Record<string, unknown> }

export type WorkflowPluginDeps = { db: Db; toolSets: Pick<ToolSets, 'listOperations'> }

/** To be made for each run: a plugin stays as it was when the run first called it. */
export function createWorkflowPlugins(deps: WorkflowPluginDeps, who: Principal): WorkflowPlugins {
  const opened = new Map<string, Promise<OpenPlugin>>()

  function open(pluginId: string): Promise<OpenPlugin> {
    const known = opened.get(pluginId)
    if (known) return known

    const opening = openPlugin(deps, who, pluginId)
    opened.set(pluginId, opening)
    // what cannot be reached now may be reached by the next attempt
    opening.catch(() => opened.delete(pluginId))
    return opening
  }

  async function find(wanted: PluginOperation, signal: AbortSignal): Promise<{ name: string; operation: ServerOperation }> {
    signal.throwIfAborted()
    const plugin = await untilAborted(open(wanted.pluginId), signal)
    const operation = findOperation(plugin.operations, wanted)
    if (!operation) throw new NodeError(nodeErrors.executionFailed, describeMissing(plugin, wanted))
    return { name: plugin.name, operation }
  }

  return {
    async call(wanted, given, { signal }) {
      const { name, operation } = await find(wanted, signal)
      const what = `plugin ${name}, operation ${operation.name}`
      const missing = findMissing(operation, given)
      if (missing.length > 0) throw new NodeError(nodeErrors.missingParameter, `${what}: it needs the arguments ${missing.join(', ')}`)

      try {
        return parseAnswer(await operation.call(toArguments(operation, given), { signal }))
      } catch (cause) {
        signal.throwIfAborted()
        throw toNodeError(cause, what)
      }
    },
    async describe(wanted, { signal }) {
      const { operation } = await find(wanted, signal)
      const { name, description } = operation
      return { name: isToolName(wanted.apiName) ? wanted.apiName : name, description, parameters: toFlatSchema(operation) }
    },
  }
}

/** The name in the canvas is what its prompts speak of. */
const isToolName = (name: string) => /^[a-zA-Z0-9_-]{1,64}$/.test(name)

type OpenPlugin = { name: string; operations: ServerOperation[]; problems: string[] }

async function openPlugin({ db, toolSets }: WorkflowPluginDeps, who: Principal, pluginId: string): Promise<OpenPlugin> {
  const plugin = isId(pluginId) ? await findPlugin(db, pluginId) : undefined
  if (plugin?.ownerId !== who.userId)
    throw new NodeError(
      nodeErrors.executionFailed,
      `there is no plugin ${pluginId.slice(0, 50)}: add one with this id to the \`plugins\` of a manifest and apply that`,
    )

  try {
    const { operations, problems } = await toolSets.listOperations({ holderId: `plugin ${plugin.id}`, tool: plugin.tool })
    return { name: plugin.name, operations, problems }
  } catch (cause) {
    throw toNodeError(cause, `plugin ${plugin.name}`)
  }
}

const isId = (text: string) => /^[1-9]\d{0,18}$/.test(text) && BigInt(text) < 2n ** 63n

function describeMissing({ name, operations, problems }: OpenPlugin, { apiId, apiName }: PluginOperation): string {
  const wanted = [apiName, apiId].filter(Boolean).join(' or ') || 'without a name'
  const known = operations.map((each) => each.name).join(', ') || 'none'
  return [`plugin ${name} has no operation ${wanted}; there are: ${known}`, ...problems].join('. ')
}

/** What is no failure of the plugin is a bug, and stays one. */
function toNodeError(cause: unknown, what: string): unknown {
  if (cause instanceof ToolFailure && (cause.status === 401 || cause.status === 403))
    return new NodeError(
      nodeErrors.pluginAuthorization,
      `${what}: its server refuses access (HTTP status ${cause.status}): give the plugin valid \`headers\` in the manifest`,
      { cause },
    )
  if (cause instanceof ToolFailure || cause instanceof GuardedFetchError)
    return new NodeError(nodeErrors.executionFailed, `${what}: ${cause.message}`, { cause })
  return cause
}
