import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { answersRight, type Bench, type Target, type TargetName } from './bench-targets.ts'
import { waitUntil } from './bench-process.ts'
import type { Pace } from './fake-model.ts'
import { generateLoad, type LoadResult } from './load-generator.ts'
import { readMachineCpuMs, readProcessUsage, watchProcess } from './process-usage.ts'
import { nowMicros } from './stamps.ts'

/** W1 whole answers, W2 fast streams, W4 cheap reads, W3 many slow streams. W3 is last: a server it was too much for needs a while to recover. */
export const workloads: Record<string, Step[]> = {
  w1: [
    { name: 'w1.c1', kind: 'whole', concurrency: 1 },
    { name: 'w1.c32', kind: 'whole', concurrency: 32 },
  ],
  w2: [
    { name: 'w2.c1', kind: 'stream', concurrency: 1 },
    { name: 'w2.c32', kind: 'stream', concurrency: 32 },
  ],
  w4: [
    { name: 'w4.c1', kind: 'read', concurrency: 1 },
    { name: 'w4.c32', kind: 'read', concurrency: 32 },
  ],
  w3: [{ name: 'w3', kind: 'slow', concurrency: 1000 }],
}

export type Step = { name: string; kind: 'whole' | 'stream' | 'read' | 'slow'; concurrency: number }

/** How long to measure: seconds per step; how many W3 streams and how many seconds each lasts. */
export type Durations = { seconds: number; streams: number; hold: number }

export type Result = { round: number; step: string; target: TargetName; figures: Figures; faults: LoadResult['faults'] }

export type Figures = Partial<Record<FigureName, number>>

export type FigureName =
  | 'perSecond'
  | 'chunksPerSecond'
  | `${'first' | 'total' | 'chunkDelay'}${'P50' | 'P99' | 'Max'}Ms`
  | 'cpuUsPerRequest'
  | 'cpuUsPerChunk'
  | 'failed'
  | 'peakRssMb'
  | 'loopStallMs'
  | 'generatorCores'
  | 'othersCores'
  | 'firstAnswerMs'
  | 'idleRssMb'

type Measured = Pick<Result, 'figures' | 'faults'>

export async function runStep(
  step: Step,
  { target, bench, durations }: { target: Target; bench: Bench; durations: Durations },
): Promise<Measured> {
  const { port } = target
  if (step.kind !== 'slow') {
    const exchange = step.kind === 'stream' ? target.stream(FAST.chunks) : target[step.kind]
    return measure(target, () =>
      generateLoad({ port, exchange, concurrency: step.concurrency, seconds: durations.seconds, timeoutMs: 30_000 }),
    )
  }

  const slow = { chunks: Math.round(durations.hold * CHUNKS_PER_SECOND), intervalMs: 1000 / CHUNKS_PER_SECOND }
  await setPace(bench, slow)
  const load = { port, exchange: target.stream(slow.chunks), concurrency: durations.streams, seconds: RAMP_MS / 1000, rampMs: RAMP_MS }
  const measured = await measure(target, () => generateLoad({ ...load, timeoutMs: durations.hold * 3000 + 5000 }))
  await setPace(bench, FAST)
  return measured
}

/** W5: time from spawn to the first right answer, and memory after five idle seconds. */
export async function measureStart(start: () => Promise<Target>, idleMs: number): Promise<Measured & { target: Target }> {
  const spawnedAt = performance.now()
  const target = await start()
  await waitUntil(() => answersRight(target), `a right answer from ${target.name}`)
  const firstAnswerMs = performance.now() - spawnedAt
  await sleep(idleMs)
  return { target, figures: { firstAnswerMs, idleRssMb: readProcessUsage(target.pid).rssMb }, faults: {} }
}

const FAST: Pace = { chunks: 100, intervalMs: 0 }
const CHUNKS_PER_SECOND = 20
const RAMP_MS = 5000

async function setPace({ modelPort }: Bench, pace: Pace) {
  await fetch(`http://127.0.0.1:${modelPort}/pace`, { method: 'POST', body: JSON.stringify(pace) })
}

async function measure(target: Target, run: () => Promise<LoadResult>): Promise<Measured> {
  const startedAt = nowMicros()
  const server = watchProcess(target.pid)
  const own = process.cpuUsage()
  const machineMs = readMachineCpuMs() - readProcessUsage(process.pid).cpuMs
  const result = await run()
  const { cpuMs, peakRssMb } = server.stop()
  const othersMs = readMachineCpuMs() - readProcessUsage(process.pid).cpuMs - machineMs
  const { user, system } = process.cpuUsage(own)

  const { ok, chunks, seconds, failed, faults } = result
  const figures: Figures = {
    perSecond: ok / seconds,
    chunksPerSecond: chunks / seconds,
    ...flatten('first', result.firstMs),
    ...flatten('total', result.totalMs),
    ...flatten('chunkDelay', result.chunkDelayMs),
    cpuUsPerRequest: (cpuMs * 1000) / ok,
    cpuUsPerChunk: (cpuMs * 1000) / chunks,
    failed,
    peakRssMb,
    loopStallMs: readWorstStall(target.loopFile, startedAt),
    generatorCores: (user + system) / 1e6 / seconds,
    othersCores: Math.max(0, othersMs / 1000 / seconds),
  }
  return { figures, faults }
}

function flatten(name: 'first' | 'total' | 'chunkDelay', latency: LoadResult['firstMs']): Figures {
  return { [`${name}P50Ms`]: latency.p50, [`${name}P99Ms`]: latency.p99, [`${name}MaxMs`]: latency.max }
}

/** The children's event loops are watched from inside: see loop-probe.ts. */
function readWorstStall(file: string | undefined, sinceMicros: number): number {
  if (file === undefined) return Number.NaN
  const notes = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(' ').map(Number))
  return Math.max(0, ...notes.flatMap(([at = 0, stallMs = 0]) => (at > sinceMicros ? [stallMs] : [])))
}
