/** Something a bot can call on this server. `parameters` is a JSON Schema of the arguments. */
export interface ServerTool {
  name: string
  description: string
  parameters: Record<string, unknown>
  /** `args` is the JSON the model wrote. Rejects only when the signal aborts: what goes wrong is a result that says so. */
  call(args: string, options: { signal: AbortSignal }): Promise<ToolResult>
}

export type ToolResult = { content: string; isError: boolean }
