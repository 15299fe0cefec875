import { GuardedFetchError } from '../lib/guarded-fetch.ts'
import { findValueProblem, isRecord } from '../lib/json-schema.ts'
import { linkAbort, untilAborted } from '../lib/linked-abort.ts'
import type { ServerTool, ToolResult } from './server-tool.ts'

/** A tool whose failure is a result for the model, in our words. */
export class ToolFailure extends Error {
  /** The HTTP status of the answer, where that is what failed. */
  readonly status: number | undefined

  constructor(message: string, { status, ...options }: ErrorOptions & { status?: number } = {}) {
    super(message, options)
    this.status = status
  }
}

export const failed = (content: string): ToolResult => ({ content, isError: true })

/** `text` is what the arguments were read from: numbers of more than 15 digits are exact only there. */
export type ToolWork = (args: Record<string, unknown>, signal: AbortSignal, text: string) => Promise<ToolResult>

export type ToolPlan = {
  name: string
  description: string
  parameters: Record<string, unknown>
  /** Without it a call may take as long as its signal lets it. */
  timeoutMs?: number
  onError: (cause: unknown) => void
}

/** Some models take no more than this. */
const MAX_DESCRIPTION = 1_024

/** Checks the arguments, keeps to the time, and makes a result of whatever goes wrong. */
export function createServerTool({ timeoutMs, onError, ...plan }: ToolPlan, work: ToolWork): ServerTool {
  return {
    ...plan,
    description: plan.description.slice(0, MAX_DESCRIPTION).toWellFormed(),
    async call(text, { signal }) {
      signal.throwIfAborted()
      const args = parseArguments(plan.parameters, text)
      if (typeof args === 'string') return failed(args)

      try {
        return await keepToTime({ signal, timeoutMs }, (inTime) => work(args, inTime, text))
      } catch (cause) {
        signal.throwIfAborted()
        return failed(toText(cause, onError))
      }
    },
  }
}

/** Work that gets a signal of its own. Rejects with a ToolFailure when its time is over. */
export async function keepToTime<T>(
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs?: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { control, release } = linkAbort(signal)
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => control.abort(new ToolFailure(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
  try {
    return await untilAborted(work(control.signal), control.signal)
  } finally {
    clearTimeout(timer)
    release()
    // ends what the work left open
    control.abort()
  }
}

/** Text is what is wrong with them. */
function parseArguments(parameters: Record<string, unknown>, text: string): Record<string, unknown> | string {
  try {
    const args: unknown = JSON.parse(text.trim() || '{}')
    if (!isRecord(args)) return 'the arguments must be a JSON object'
    return findValueProblem(parameters, args, 'arguments') ?? args
  } catch {
    return 'the arguments are not valid JSON'
  }
}

function toText(cause: unknown, onError: (cause: unknown) => void): string {
  if (cause instanceof ToolFailure || cause instanceof GuardedFetchError) return cause.message
  onError(cause)
  return 'the tool failed'
}
