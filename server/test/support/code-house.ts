import { readdirSync, readFileSync } from 'node:fs'
import type { CodeJob } from '../../src/workflows/code/code-runner.ts'
import { createCodeRunner } from '../../src/workflows/code/code-runner.ts'
import { NodeError, nodeErrors } from '../../src/workflows/engine/node-error.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'

export type CodeHouse = AsyncDisposable & {
  run(code: string, params?: ValueObject, signal?: AbortSignal): Promise<ValueObject>
  /** What the builder reads when this code runs. */
  failureOf(code: string, params?: ValueObject): Promise<string>
}

/** A runner for one language; it ends with the test. */
export function codeHouse(language: CodeJob['language'], options?: { timeoutMs?: number }): CodeHouse {
  const runner = createCodeRunner(options)
  const run: CodeHouse['run'] = (code, params = {}, signal = new AbortController().signal) => runner.run({ language, code, params, signal })
  return {
    run,
    async failureOf(code, params) {
      const outcome: unknown = await run(code, params).catch((cause: unknown) => cause)
      if (!(outcome instanceof NodeError) || outcome.code !== nodeErrors.codeFailed)
        throw new Error('this is no failure of the code', { cause: outcome })
      return outcome.message
    },
    [Symbol.asyncDispose]: () => runner.close(),
  }
}

/** Ids of this process's threads. */
export const threadIds = (): string[] => readdirSync('/proc/self/task')

/** Processes that this one has started, and theirs. */
export function descendants(pid: number = process.pid): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => parentOf(each) === pid)
  return children.flatMap((child) => [child, ...descendants(child)])
}

function parentOf(pid: number): number | undefined {
  try {
    // the name before it may hold anything, brackets too
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1])
  } catch {
    return undefined
  }
}
