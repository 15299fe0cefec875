import { LRUCache } from 'lru-cache'
import type { Limits } from '../cluster/limits.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import { findStoredKey } from './api-key-store.ts'
import type { KeyPolicy } from './key-policy.ts'
import { addTokens } from './key-token-store.ts'
import type { Principal } from './principal.ts'
import { assertBudget, dayOf } from './token-budget.ts'

/** Which runs a key may start: as many at the same time as its policy says, and as long as its budget lasts. */
export interface RunAdmission {
  /**
   * Before a run is stored: takes its place. Throws `rate_limited`, which names the rule, `unavailable` while nobody can count.
   * Undefined for a key without such limits: there is nothing to wait for.
   */
  admit(who: Principal, runId: string): Promise<void> | undefined
  /** The run's place is kept by whoever executes it: this process only keeps it until then. */
  handOver(runId: string): void
  /** Of a run that another process, or another life of this one, has started: it has its place here now. */
  adopt(run: KeyedRun): Promise<void>
  /** The run has ended or waits, or was not stored. Undefined where it has no place here. */
  leave(runId: string): Promise<void> | undefined
  /** The same for a run that another process may hold the place of. */
  leaveAnywhere(run: KeyedRun): Promise<void>
  /** Counts what a run has used; undefined where nobody asks. To be written with what it stands for. */
  tokenWrite(keyId: string | undefined, usage: TokenUsage): ((tx: Db) => Promise<void>) | undefined
}

type KeyedRun = { id: string; keyId: string | undefined }
type TokenUsage = { inputTokens: number; outputTokens: number }

export type RunAdmissionDeps = { db: Db; clock: Clock; limits: Limits }

const KEYS_REMEMBERED = 10_000
const BELIEVED_MS = 1_000

export function createRunAdmission({ db, clock, limits }: RunAdmissionDeps): RunAdmission {
  /** The keys of runs that have a place here. */
  const places = new Map<string, string>()
  const policies = new LRUCache<string, Promise<KeyPolicy | undefined>>({ max: KEYS_REMEMBERED, ttl: BELIEVED_MS })
  const budgeted = new LRUCache<string, true>({ max: KEYS_REMEMBERED })

  /** Runs of one key often begin together: it is read once for all of them. */
  function policyOf(keyId: string): Promise<KeyPolicy | undefined> {
    const known = policies.get(keyId)
    if (known) return known
    const reading = findStoredKey(db, keyId).then((key) => key?.policy)
    policies.set(keyId, reading)
    reading.catch(() => policies.delete(keyId))
    return reading
  }

  async function take(keyId: string, runId: string, policy: KeyPolicy): Promise<void> {
    if (hasBudget(policy)) {
      budgeted.set(keyId, true)
      await assertBudget(db, keyId, { policy, now: clock() })
    }
    const { concurrentRuns } = policy
    if (concurrentRuns === undefined) return
    if (!(await limits.acquire(keyId, runId, concurrentRuns))) throw tooMany(concurrentRuns)
    places.set(runId, keyId)
  }

  return {
    admit({ keyId, access }, runId) {
      const policy = access?.policy
      if (keyId === undefined || policy === undefined || !(hasBudget(policy) || policy.concurrentRuns !== undefined)) return undefined
      return take(keyId, runId, policy)
    },
    handOver(runId) {
      const keyId = places.get(runId)
      if (keyId !== undefined) limits.handOver(keyId, runId)
    },
    async adopt({ id, keyId }) {
      if (keyId === undefined) return
      const policy = await policyOf(keyId)
      if (!policy) return
      if (hasBudget(policy)) budgeted.set(keyId, true)
      if (policy.concurrentRuns === undefined) return
      places.set(id, keyId)
      await limits.adopt(keyId, id)
    },
    leave(runId) {
      const keyId = places.get(runId)
      if (keyId === undefined) return undefined
      places.delete(runId)
      return limits.release(keyId, runId)
    },
    async leaveAnywhere({ id, keyId }) {
      places.delete(id)
      if (keyId !== undefined) await limits.release(keyId, id)
    },
    tokenWrite(keyId, { inputTokens, outputTokens }) {
      const tokens = inputTokens + outputTokens
      if (keyId === undefined || tokens <= 0 || !budgeted.has(keyId)) return undefined
      return (tx) => addTokens(tx, { keyId, day: dayOf(clock()), tokens })
    },
  }
}

const hasBudget = ({ tokensPerDay, tokensPerMonth }: KeyPolicy): boolean => tokensPerDay !== undefined || tokensPerMonth !== undefined

const tooMany = (limit: number) =>
  new AppError('rate_limited', `concurrent_runs: this api key may have ${limit} runs going on at the same time: wait for the end of one`)
