import type { JsonSchema } from '../lib/json-schema.ts'

/**
 * What another server offers to workflows: an operation of an OpenAPI document, or a tool of an MCP server. A ServerTool is for
 * models; here answers come whole, and what goes wrong is an error.
 */
export interface ServerOperation {
  name: string
  /** What else its document calls it. */
  aliases: string[]
  description: string
  /** A JSON Schema of the arguments. */
  parameters: JsonSchema
  /** Whether the argument `body` is the body of a request. */
  hasBody: boolean
  /** The arguments are not checked. Rejects with a ToolFailure, also for an answer that is an error, a GuardedFetchError, or the signal's reason. */
  call(args: Record<string, unknown>, options: { signal: AbortSignal }): Promise<OperationAnswer>
}

export type OperationAnswer = { text: string; isJson: boolean }

export const MAX_ANSWER_BYTES = 1_000_000
