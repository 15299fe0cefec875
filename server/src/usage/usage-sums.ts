import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Db } from '../db/database.ts'
import type { Clock } from '../lib/clock.ts'
import { firstIdAt } from '../lib/snowflake.ts'
import { createMeasures } from './measures.ts'
import type { MeasuresBuilder } from './measures.ts'
import { listChatFacts, listWorkflowFacts } from './usage-store.ts'
import type { CallFact } from './usage-store.ts'

export type CallsWanted = {
  ownerId: string
  kind: 'chat' | 'workflow'
  subjectId?: string
  subjectIds?: ReadonlySet<string>
  keyId?: string
}

/** `from` ≤ time < `to`. A whole one is likely to be asked for again, with just these ends. */
export type Span = { from: number; to: number; isWhole: boolean }

/** What the calls of a span come to. The open ones are told one by one: nothing of them is settled. */
export type SpanSums = { ended: CallSums; open: CallFact[] }
export type CallSums = { total: MeasuresBuilder; subjects: Map<string, MeasuresBuilder>; keys: Map<string, MeasuresBuilder> }

export interface UsageSums {
  /** In the order of the spans, which follow one another. Throws the signal's reason. */
  sum(wanted: CallsWanted, spans: Span[], signal: AbortSignal): Promise<SpanSums[]>
}

/**
 * A call that has ended never changes, and none is added to a time that is over. So the sums of past spans are remembered, for as long
 * as there is room: to ask for a chart again reads only what is new and what is still open.
 */
export function createUsageSums({ db, clock }: { db: Db; clock: Clock }): UsageSums {
  const known = new LRUCache<string, KnownSpan>({ maxSize: REMEMBERED_SIZE, sizeCalculation: sizeOf })

  return {
    async sum(wanted, spans, signal) {
      signal.throwIfAborted()
      const settledBefore = clock() - SETTLED_MS
      const nameOf = ({ from, to, isWhole }: Span) => (isWhole && to <= settledBefore ? toName(wanted, from, to) : undefined)
      const found = spans.map((span) => known.get(nameOf(span) ?? ''))
      const sums: SpanSums[] = []
      for (let at = 0; at < spans.length;) {
        const hit = found[at]
        if (hit) {
          sums.push({ ended: hit.ended, open: await listOpen(db, wanted, hit.openIds) })
          at++
          continue
        }
        const end = found.findIndex((each, index) => index > at && each !== undefined)
        const missing = spans.slice(at, end === -1 ? undefined : end)
        const read = await readSpans({ db, wanted, signal }, missing)
        for (const [index, { ended, open }] of read.entries()) {
          const name = nameOf(missing[index] ?? NO_SPAN)
          if (name !== undefined && open.length <= MAX_OPEN) known.set(name, { ended, openIds: open.map(({ id }) => id) })
        }
        sums.push(...read)
        at += missing.length
      }
      return sums
    },
  }
}

type KnownSpan = { ended: CallSums; openIds: string[] }

/** Clocks of several servers may differ by less, and a row is stored a moment after it got its id. */
const SETTLED_MS = 10 * 60_000
/** Of a span: each is looked up again whenever the span is asked for. */
const MAX_OPEN = 200
/** In entries of maps, of some 40 bytes. */
const REMEMBERED_SIZE = 1_000_000
const SIZE_OF_GROUP = 16
const NO_SPAN: Span = { from: 0, to: 0, isWhole: false }

function sizeOf({ ended }: KnownSpan): number {
  const groups = [ended.total, ...ended.subjects.values(), ...ended.keys.values()]
  return groups.reduce((sum, { sums }) => sum + SIZE_OF_GROUP + sums.latency.bins.size + sums.firstToken.bins.size, 0)
}

/** Undefined for what is cut out in a way that is not asked for again. */
function toName({ ownerId, kind, subjectId = '', subjectIds, keyId = '' }: CallsWanted, from: number, to: number): string | undefined {
  return subjectIds ? undefined : [ownerId, kind, subjectId, keyId, from, to].join(' ')
}

const createSpanSums = (): SpanSums => ({ ended: { total: createMeasures(), subjects: new Map(), keys: new Map() }, open: [] })

export function groupOf(groups: Map<string, MeasuresBuilder>, id: string): MeasuresBuilder {
  const known = groups.get(id) ?? createMeasures()
  groups.set(id, known)
  return known
}

type Reading = { db: Db; wanted: CallsWanted; signal: AbortSignal }

async function readSpans({ db, wanted, signal }: Reading, spans: Span[]): Promise<SpanSums[]> {
  const sums = spans.map(createSpanSums)
  const ends = spans.map(({ to }) => Number(firstIdAt(to)))
  const [first, last] = [spans[0] ?? NO_SPAN, spans.at(-1) ?? NO_SPAN]
  let at = 0
  for await (const calls of listCalls(db, wanted, { from: first.from, to: last.to })) {
    signal.throwIfAborted()
    for (const call of calls) {
      while (at < spans.length - 1 && Number(call.id) >= Number(ends[at])) at++
      addCall(sums[at], call)
    }
  }
  return sums
}

function addCall(span: SpanSums | undefined, call: CallFact): void {
  if (call.outcome === 'open') span?.open.push(call)
  else if (span) {
    const { total, subjects, keys } = span.ended
    for (const group of [total, groupOf(subjects, call.subjectId), groupOf(keys, call.keyId)]) group.add(call)
  }
}

/** The rows of as many calls are in memory at a time, and other work gets its turn between. */
const AT_ONCE = 2_000

/** @NOTE keys are told apart here: looking for the calls of one that is rarely used, SQLite would give nobody else a turn */
async function* listCalls(db: Db, { kind, ownerId, subjectId, subjectIds, keyId }: CallsWanted, { from, to }: Omit<Span, 'isWhole'>) {
  const isWanted = (call: CallFact) => (keyId === undefined || call.keyId === keyId) && (subjectIds?.has(call.subjectId) ?? true)
  const list = listOf(kind)
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

const listOf = (kind: CallsWanted['kind']) => (kind === 'chat' ? listChatFacts : listWorkflowFacts)

/** What has become of them. */
async function listOpen(db: Db, { kind, ownerId }: CallsWanted, ids: string[]): Promise<CallFact[]> {
  const [fromId, lastId] = [ids[0], ids.at(-1)]
  if (fromId === undefined || lastId === undefined) return []
  return listOf(kind)(db, { ownerId, fromId, toId: String(BigInt(lastId) + 1n), ids, limit: ids.length })
}
