import type { Db } from '../../db/database.ts'
import type { WriteUnit } from '../../db/group-commit.ts'
import type { TokenUsage } from '../engine/node-type.ts'
import type { NodeRecord, Progress } from '../engine/progress.ts'
import type { Beside } from '../../journal/journal-flusher.ts'
import { replaceNodeRuns } from './node-run-store.ts'

/** The progress of one run, kept beside its journal: a record is stored in one transaction with what was said before it. */
export type RunProgress = Pick<Progress, 'find' | 'put'> &
  Beside & {
    /** Of all nodes, in this life of the run and earlier ones. */
    readonly usage: TokenUsage
    onChange(listener: () => void): void
  }

/** `earlier` are the records that earlier lives of the run have left. What the guard refuses is not stored. */
export function createRunProgress(runId: string, earlier: NodeRecord[], guard?: WriteUnit['guard']): RunProgress {
  const found = new Map(earlier.map((record) => [record.path, record]))
  const used = new Map(earlier.map((record) => [record.path, record.usage]))
  const changed = new Map<string, NodeRecord>()
  let usage = earlier.reduce((sum, record) => add(sum, record.usage), { inputTokens: 0, outputTokens: 0 })
  let listener: () => void = () => undefined

  return {
    find: (path) => found.get(path),
    put(record) {
      const before = used.get(record.path)
      if (before !== record.usage) {
        usage = add(usage, subtract(record.usage, before))
        used.set(record.path, record.usage)
      }
      changed.set(record.path, record)
      listener()
    },
    get usage() {
      return usage
    },
    onChange: (next) => void (listener = next),
    take() {
      if (changed.size === 0) return undefined
      const taken = [...changed.values()]
      return {
        guard,
        update: (tx: Db) => replaceNodeRuns(tx, runId, taken),
        settle() {
          // what has changed meanwhile is stored with the next write
          for (const record of taken) if (changed.get(record.path) === record) changed.delete(record.path)
        },
      }
    },
  }
}

const add = (a: TokenUsage, b: TokenUsage): TokenUsage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
})

const subtract = (a: TokenUsage, b: TokenUsage | undefined): TokenUsage =>
  b ? { inputTokens: a.inputTokens - b.inputTokens, outputTokens: a.outputTokens - b.outputTokens } : a
