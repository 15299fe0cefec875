import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { createMeasures } from './measures.ts'
import type { Measures, MeasuresBuilder } from './measures.ts'
import { NO_KEY, findKeyNames, findNames } from './usage-store.ts'
import type { KeyName } from './usage-store.ts'
import { groupOf } from './usage-sums.ts'
import type { Span, UsageSums } from './usage-sums.ts'

export type UsageDeps = { db: Db; sums: UsageSums }

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

const MAX_BUCKETS = 1_000
const MAX_RANGE_MS = 366 * 24 * 3_600_000
const MAX_GROUPS = 1_000

/** What an owner's callers have used. Throws `invalid_request` for a range that is no range or too long, and the signal's reason. */
export async function reportUsage({ db, sums }: UsageDeps, request: UsageRequest, signal: AbortSignal): Promise<UsageReport> {
  const bounds = listBounds(request)
  const total = createMeasures()
  const buckets = bounds.map(() => createMeasures())
  const subjects = new Map<string, MeasuresBuilder>()
  const keys = new Map<string, MeasuresBuilder>()

  const spans = listSpans(request, bounds)
  for (const [index, { ended, open }] of (await sums.sum(request, spans, signal)).entries()) {
    const bucket = buckets[spans[index]?.bucketAt ?? 0]
    for (const group of [total, bucket]) group?.addAll(ended.total)
    for (const [id, group] of ended.subjects) groupOf(subjects, id).addAll(group)
    for (const [id, group] of ended.keys) groupOf(keys, id).addAll(group)
    for (const call of open) {
      for (const group of [total, bucket, groupOf(subjects, call.subjectId), groupOf(keys, call.keyId)]) group?.add(call)
    }
  }
  return {
    total: total.build(),
    buckets: bounds.map((bound, index) => ({ ...bound, ...(buckets[index] ?? createMeasures()).build() })),
    subjects: await nameSubjects(db, request.kind, largestOf(subjects)),
    keys: await nameKeys(db, largestOf(keys)),
  }
}

type Bound = { from: number; to: number }

const BUCKET_MS = { hour: 3_600_000, day: 86_400_000 }

function listBounds({ from, to, bucket, offsetMinutes }: UsageRequest): Bound[] {
  if (to <= from) throw new AppError('invalid_request', 'to: must be later than from')
  const step = BUCKET_MS[bucket]
  if (to - from > MAX_RANGE_MS || (to - from) / step > MAX_BUCKETS)
    throw new AppError('invalid_request', `the range is too long: it may have 366 days, and ${MAX_BUCKETS} buckets: use bucket=day`)

  return listSteps({ from, to, step, offsetMinutes })
}

/** A bucket that is whole, or its hours. */
function listSpans(request: UsageRequest, bounds: Bound[]): (Span & { bucketAt: number })[] {
  return bounds.flatMap(({ from, to }, bucketAt) => {
    if (to - from === BUCKET_MS[request.bucket]) return [{ from, to, isWhole: true, bucketAt }]
    return listSteps({ from, to, step: BUCKET_MS.hour, offsetMinutes: request.offsetMinutes }).map((hour) => ({
      ...{ ...hour, bucketAt },
      isWhole: hour.to - hour.from === BUCKET_MS.hour,
    }))
  })
}

/** The first and the last one end where the range does. */
function listSteps({ from, to, step, offsetMinutes }: Bound & { step: number; offsetMinutes: number }): Bound[] {
  const first = startOf(from, { step, offsetMinutes })
  const count = Math.ceil((to - first) / step)
  return Array.from({ length: count }, (_, index) => ({
    from: Math.max(from, first + index * step),
    to: Math.min(to, first + (index + 1) * step),
  }))
}

function startOf(time: number, { step, offsetMinutes }: { step: number; offsetMinutes: number }): number {
  const offset = offsetMinutes * 60_000
  return Math.floor((time + offset) / step) * step - offset
}

type Group = { id: string; measures: Measures }

const largestOf = (groups: Map<string, MeasuresBuilder>): Group[] =>
  [...groups]
    .sort(([id, one], [otherId, other]) => other.calls - one.calls || Number(id) - Number(otherId))
    .slice(0, MAX_GROUPS)
    .map(([id, measures]) => ({ id, measures: measures.build() }))

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
