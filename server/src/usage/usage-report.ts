import { setImmediate } from 'node:timers/promises'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { firstIdAt } from '../lib/snowflake.ts'
import { createMeasures } from './measures.ts'
import type { Measures, MeasuresBuilder } from './measures.ts'
import { NO_KEY, findKeyNames, findNames, listChatFacts, listWorkflowFacts } from './usage-store.ts'
import type { CallFact, KeyName } from './usage-store.ts'

export type UsageRequest = {
  ownerId: string
  /** Of runs of published agents or workflows; tries of drafts do not count. */
  kind: 'chat' | 'workflow'
  /** Calls that began at `from` ≤ time < `to`. */
  from: number
  to: number
  bucket: 'hour' | 'day'
  /** East of Greenwich: where days begin. */
  offsetMinutes: number
  /** Only this agent or workflow. */
  subjectId?: string
  /** None but these. */
  subjectIds?: ReadonlySet<string>
  /** Only this key; NO_KEY: none. */
  keyId?: string
}

export type UsageReport = {
  total: Measures
  /** Every one of the range, in order. */
  buckets: (Measures & { from: number; to: number })[]
  /** Of agents or workflows, most calls first; the name is empty of one that is gone. */
  subjects: (Measures & { id: string; name: string })[]
  keys: (Measures & KeyName & { id: string })[]
}

/** The rows of as many calls are in memory at a time, and other work gets its turn between. */
const AT_ONCE = 2_000
const MAX_BUCKETS = 1_000
const MAX_RANGE_MS = 366 * 24 * 3_600_000
const MAX_GROUPS = 1_000

/** What an owner's callers have used. Throws `invalid_request` for a range that is no range or too long, and the signal's reason. */
export async function reportUsage(db: Db, request: UsageRequest, signal: AbortSignal): Promise<UsageReport> {
  const bounds = listBounds(request)
  const total = createMeasures()
  const buckets = bounds.map(() => createMeasures())
  const subjects = createGroups()
  const keys = createGroups()
  const bucketAt = createBucketFinder(request, bounds)

  for await (const calls of listCalls(db, request)) {
    signal.throwIfAborted()
    for (const call of calls) {
      const groups = [total, buckets[bucketAt(call.createdAt)], subjects.get(call.subjectId), keys.get(call.keyId)]
      for (const group of groups) group?.add(call)
    }
  }
  return {
    total: total.build(),
    buckets: bounds.map((bound, index) => ({ ...bound, ...(buckets[index] ?? createMeasures()).build() })),
    subjects: await nameSubjects(db, request.kind, subjects.largest()),
    keys: await nameKeys(db, keys.largest()),
  }
}

/** @NOTE keys are told apart here: looking for the calls of one that is rarely used, SQLite would give nobody else a turn */
async function* listCalls(db: Db, { kind, ownerId, from, to, subjectId, subjectIds, keyId }: UsageRequest) {
  const isWanted = (call: CallFact) => (keyId === undefined || call.keyId === keyId) && (subjectIds?.has(call.subjectId) ?? true)
  const list = kind === 'chat' ? listChatFacts : listWorkflowFacts
  const toId = firstIdAt(to)
  for (let fromId = firstIdAt(from); ;) {
    const calls = await list(db, { ownerId, fromId, toId, subjectId, limit: AT_ONCE })
    yield keyId === undefined && subjectIds === undefined ? calls : calls.filter(isWanted)
    const last = calls.at(-1)
    if (!last || calls.length < AT_ONCE) return
    fromId = String(BigInt(last.id) + 1n)
    // SQLite answers without giving anybody else a turn
    await setImmediate()
  }
}

type Bound = { from: number; to: number }

const BUCKET_MS = { hour: 3_600_000, day: 86_400_000 }

/** The first and the last bucket end where the range does. */
function listBounds({ from, to, bucket, offsetMinutes }: UsageRequest): Bound[] {
  if (to <= from) throw new AppError('invalid_request', 'to: must be later than from')
  const step = BUCKET_MS[bucket]
  if (to - from > MAX_RANGE_MS || (to - from) / step > MAX_BUCKETS)
    throw new AppError('invalid_request', `the range is too long: it may have 366 days, and ${MAX_BUCKETS} buckets: use bucket=day`)

  const first = startOf(from, { step, offsetMinutes })
  const count = Math.ceil((to - first) / step)
  return Array.from({ length: count }, (_, index) => ({
    from: Math.max(from, first + index * step),
    to: Math.min(to, first + (index + 1) * step),
  }))
}

function createBucketFinder({ from, bucket, offsetMinutes }: UsageRequest, bounds: Bound[]): (time: number) => number {
  const step = BUCKET_MS[bucket]
  const first = startOf(from, { step, offsetMinutes })
  // a run's id and its time are made one after the other: at the very edge they may fall apart
  return (time) => Math.min(bounds.length - 1, Math.max(0, Math.floor((time - first) / step)))
}

function startOf(time: number, { step, offsetMinutes }: { step: number; offsetMinutes: number }): number {
  const offset = offsetMinutes * 60_000
  return Math.floor((time + offset) / step) * step - offset
}

type Group = { id: string; measures: Measures }

function createGroups() {
  const groups = new Map<string, MeasuresBuilder>()
  return {
    get(id: string): MeasuresBuilder {
      const known = groups.get(id) ?? createMeasures()
      groups.set(id, known)
      return known
    },
    largest: (): Group[] =>
      [...groups]
        .sort(([, one], [, other]) => other.calls - one.calls)
        .slice(0, MAX_GROUPS)
        .map(([id, measures]) => ({ id, measures: measures.build() })),
  }
}

async function nameSubjects(db: Db, kind: UsageRequest['kind'], groups: Group[]): Promise<UsageReport['subjects']> {
  const names = await findNames(db, kind === 'chat' ? 'bot' : 'workflow', idsOf(groups))
  return groups.map(({ id, measures }) => ({ id, name: names.get(id) ?? '', ...measures }))
}

async function nameKeys(db: Db, groups: Group[]): Promise<UsageReport['keys']> {
  const names = await findKeyNames(
    db,
    idsOf(groups).filter((id) => id !== NO_KEY),
  )
  return groups.map(({ id, measures }) => ({ id, ...(names.get(id) ?? { name: '', lastFour: '', isDeleted: id !== NO_KEY }), ...measures }))
}

const idsOf = (groups: Group[]): string[] => groups.map(({ id }) => id)
