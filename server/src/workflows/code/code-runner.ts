import { linkAbort } from '../../lib/linked-abort.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { fieldOf, isValueObject, parseValue } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'
import { codeLimits } from './code-limits.ts'
import { createJavascriptWorkers } from './javascript-workers.ts'
import { runPython } from './python-sandbox.ts'
import { createSlots } from './run-slots.ts'

/** Runs what builders write into code nodes, away from the server: no network, no files, bounded time, memory and output. */
export interface CodeRunner {
  /** The object that `main` returns. Rejects with a NodeError `codeFailed`, or with the signal's reason. */
  run(job: CodeJob): Promise<ValueObject>
}

export type CodeJob = { language: 'python' | 'javascript'; code: string; params: ValueObject; signal: AbortSignal }

/** Nothing of a run is left when it settles. `close` ends the runs that are still going, and what is kept warm for the next. */
export function createCodeRunner({ timeoutMs = codeLimits.timeoutMs }: { timeoutMs?: number } = {}): CodeRunner & {
  close(): Promise<void>
} {
  const javascript = createJavascriptWorkers()
  const languages = {
    javascript: { runCode: javascript.run, slots: createSlots(codeLimits.runsAtOnce) },
    python: { runCode: runPython, slots: createSlots(codeLimits.runsAtOnce) },
  }
  const live = new Map<AbortController, Promise<ValueObject>>()
  let isClosed = false

  async function runUntil(control: AbortController, { language, code, params }: CodeJob): Promise<ValueObject> {
    const { runCode, slots } = languages[language]
    const outcome = await slots.use(control.signal, async () => {
      const timer = setTimeout(() => control.abort(tooSlow(timeoutMs)), timeoutMs)
      try {
        return await runCode({ code, params, timeoutMs, signal: control.signal })
      } finally {
        clearTimeout(timer)
      }
    })
    return parseOutcome(outcome)
  }

  return {
    async run(job) {
      if (isClosed) throw new Error('the code runner is closed')
      const { control, release } = linkAbort(job.signal)
      const running = runUntil(control, job)
      live.set(control, running)
      try {
        return await running
      } finally {
        live.delete(control)
        release()
      }
    },
    async close() {
      isClosed = true
      for (const control of live.keys()) control.abort(new Error('the code runner is closed'))
      await Promise.allSettled(live.values())
      await javascript.close()
    },
  }
}

const failed = (message: string) => new NodeError(nodeErrors.codeFailed, message)

const tooSlow = (timeoutMs: number) => failed(`the code ran longer than ${timeoutMs / 1000} seconds and was ended`)

/** What came out of a sandbox: written by whoever wrote the code. */
function parseOutcome(text: string): ValueObject {
  if (Buffer.byteLength(text) > codeLimits.resultBytes + OUTCOME_BYTES) throw failed(tooLarge)
  const outcome = parseJson(text)
  if (!isValueObject(outcome)) throw failed('the result of the code cannot be read')

  const error = fieldOf(outcome, 'error')
  if (typeof error === 'string') throw failed(toMessage(error, outcome))
  const result = fieldOf(outcome, 'result')
  if (!isValueObject(result)) throw failed(`main must return an object, not ${nameOf(result)}`)
  return result
}

/** For what stands around the result. */
const OUTCOME_BYTES = 100
const tooLarge = `the result has more than ${codeLimits.resultBytes / 1_000_000} MB of JSON: return less`

function parseJson(text: string): Value {
  try {
    return parseValue(text)
  } catch (cause) {
    throw failed(`the result of the code cannot be read: ${cause instanceof SyntaxError ? cause.message : 'it is nested too deeply'}`)
  }
}

function toMessage(error: string, outcome: ValueObject): string {
  const line = fieldOf(outcome, 'line')
  const printed = fieldOf(outcome, 'printed')
  const place = typeof line === 'number' && line > 0 ? ` (line ${line})` : ''
  const output = typeof printed === 'string' && printed.trim() !== '' ? `\nprinted before: ${printed.trim()}` : ''
  return error.slice(0, ERROR_CHARS) + place + output
}

const ERROR_CHARS = 600

function nameOf(value: Value | undefined): string {
  if (value === undefined || value === null) return 'nothing'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}
