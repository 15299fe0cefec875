import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection, type Connection } from './http-connection.ts'
import { createSseReader } from './sse-reader.ts'
import { createStampReader } from './stamps.ts'

/**
 * Sends the same request again and again over keep-alive connections and judges every answer. Only right and complete answers count
 * and only they enter the latencies; every other one is counted under what was wrong with it.
 */
export async function generateLoad(load: Load): Promise<LoadResult> {
  const tally: Tally = { ok: 0, chunks: 0, faults: {}, first: createHistogram(), total: createHistogram(), chunkDelay: createHistogram() }
  const connections = Array.from({ length: load.concurrency }, () => createConnection(load.port))
  const startedAt = performance.now()
  const deadline = setTimeout(() => connections.forEach((connection) => connection.close('timeout')), load.seconds * 1000 + load.timeoutMs)

  await Promise.all(connections.map((connection, index) => runClient({ load, tally, connection, startedAt }, index)))

  clearTimeout(deadline)
  const seconds = (performance.now() - startedAt) / 1000
  const { ok, chunks, faults } = tally
  const failed = Object.values(faults).reduce((sum, count) => sum + count, 0)
  const times = { firstMs: toLatency(tally.first), totalMs: toLatency(tally.total), chunkDelayMs: toLatency(tally.chunkDelay) }
  return { ok, failed, faults, chunks, seconds, ...times }
}

export type Load = {
  port: number
  exchange: Exchange
  concurrency: number
  /** No client starts a new request after this long; each sends at least one. */
  seconds: number
  /** Spreads the clients' first requests over this long, and each sends only one. */
  rampMs?: number
  /** What is still unanswered this long after `seconds` has failed. */
  timeoutMs: number
}

/** One kind of request and what a right answer to it is. */
export type Exchange = { request: Buffer; judge: () => Judge }

/** Looks at one answer while it arrives. */
export type Judge = {
  take: (bytes: Buffer) => void
  /** What is wrong with the answer, now that it has ended. */
  fault: () => string | undefined
  /** When the first text arrived. */
  readonly firstAt?: number | undefined
  readonly chunkDelays?: number[]
}

export type Latency = { p50: number; p99: number; max: number }

export type LoadResult = {
  ok: number
  failed: number
  faults: Record<string, number>
  chunks: number
  seconds: number
  /** To the first text of a stream; the whole request otherwise. */
  firstMs: Latency
  totalMs: Latency
  chunkDelayMs: Latency
}

export function judgeWhole(isRight: (body: string) => boolean): Judge {
  let body = ''
  return {
    take: (bytes) => void (body += bytes.toString('utf8')),
    fault: () => (isRight(body) ? undefined : 'wrong answer'),
  }
}

/** A stream is complete when each of its stamps arrived once and in order, and `[DONE]` after them. */
export function judgeStream(chunks: number, textOf: (event: string, data: string) => string | undefined): Judge {
  const stamps = createStampReader()
  let firstAt: number | undefined
  let isDone = false
  const take = createSseReader((event, data) => {
    if (data === '[DONE]') return void (isDone = true)
    const text = textOf(event, data)
    if (!text) return
    firstAt ??= performance.now()
    stamps.read(text)
  })

  return {
    take,
    get firstAt() {
      return firstAt
    },
    chunkDelays: stamps.delays,
    fault: () => stamps.fault ?? (stamps.delays.length !== chunks ? 'incomplete stream' : isDone ? undefined : 'no [DONE]'),
  }
}

type Tally = Pick<LoadResult, 'ok' | 'chunks' | 'faults'> & Record<'first' | 'total' | 'chunkDelay', RecordableHistogram>

type Client = { load: Load; tally: Tally; connection: Connection; startedAt: number }

async function runClient({ load, tally, connection, startedAt }: Client, index: number) {
  const stopAt = startedAt + load.seconds * 1000
  if (load.rampMs) await sleep((load.rampMs * index) / load.concurrency)

  do {
    const judge = load.exchange.judge()
    const beganAt = performance.now()
    const fault = await sendOnce(connection, load.exchange.request, judge)
    if (fault === undefined) record(tally, judge, beganAt)
    else {
      tally.faults[fault] = (tally.faults[fault] ?? 0) + 1
      await sleep(20)
    }
  } while (!load.rampMs && performance.now() < stopAt)

  connection.close()
}

async function sendOnce(connection: Connection, request: Buffer, judge: Judge): Promise<string | undefined> {
  try {
    const status = await connection.send(request, judge.take)
    return status === 200 ? judge.fault() : `status ${status}`
  } catch (error) {
    return error instanceof Error ? error.message : 'failed'
  }
}

function record(tally: Tally, judge: Judge, beganAt: number) {
  const endedAt = performance.now()
  const delays = judge.chunkDelays ?? []
  tally.ok++
  tally.chunks += delays.length
  tally.first.record(toMicros((judge.firstAt ?? endedAt) - beganAt))
  tally.total.record(toMicros(endedAt - beganAt))
  for (const delay of delays) tally.chunkDelay.record(delay)
}

/** A histogram takes whole numbers from 1. */
const toMicros = (ms: number) => Math.max(1, Math.round(ms * 1000))

function toLatency(histogram: RecordableHistogram): Latency {
  if (histogram.count === 0) return { p50: Number.NaN, p99: Number.NaN, max: Number.NaN }
  return { p50: histogram.percentile(50) / 1000, p99: histogram.percentile(99) / 1000, max: histogram.max / 1000 }
}
