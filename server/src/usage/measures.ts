import type { CallFact } from './usage-store.ts'

/** What is told of a group of calls. Percentiles are undefined where nothing was measured. */
export type Measures = {
  calls: number
  errors: number
  canceled: number
  /** Going on or waiting. */
  open: number
  inputTokens: number
  outputTokens: number
  latencyMs: Percentiles
  firstTokenMs: Percentiles
}
export type Percentiles = { p50: number | undefined; p95: number | undefined }

/** Calls are added one by one; their number does not matter for how much is remembered of them. */
export interface MeasuresBuilder {
  add(call: CallFact): void
  /** All that was added to another one so far. */
  addAll(other: MeasuresBuilder): void
  readonly calls: number
  readonly sums: Sums
  build(): Measures
}

type Sums = Record<CallFact['outcome'] | 'inputTokens' | 'outputTokens', number> & { latency: Histogram; firstToken: Histogram }

export function createMeasures(): MeasuresBuilder {
  const sums: Sums = {
    ...{ done: 0, failed: 0, canceled: 0, open: 0, inputTokens: 0, outputTokens: 0 },
    ...{ latency: createHistogram(), firstToken: createHistogram() },
  }
  const countCalls = () => sums.done + sums.failed + sums.canceled + sums.open
  return {
    sums,
    get calls() {
      return countCalls()
    },
    add(call) {
      sums[call.outcome]++
      sums.inputTokens += call.inputTokens
      sums.outputTokens += call.outputTokens
      if (call.latencyMs !== undefined) sums.latency.add(call.latencyMs)
      if (call.firstTokenMs !== undefined) sums.firstToken.add(call.firstTokenMs)
    },
    addAll({ sums: other }) {
      for (const name of COUNTED) sums[name] += other[name]
      sums.latency.addAll(other.latency)
      sums.firstToken.addAll(other.firstToken)
    },
    build: () => ({
      ...{ calls: countCalls(), errors: sums.failed, canceled: sums.canceled, open: sums.open },
      ...{ inputTokens: sums.inputTokens, outputTokens: sums.outputTokens },
      latencyMs: { p50: sums.latency.percentile(0.5), p95: sums.latency.percentile(0.95) },
      firstTokenMs: { p50: sums.firstToken.percentile(0.5), p95: sums.firstToken.percentile(0.95) },
    }),
  }
}

const COUNTED = ['done', 'failed', 'canceled', 'open', 'inputTokens', 'outputTokens'] as const

/** Bins of a fixed ratio: whatever the size of a value, its bin is as exact. 2.5 % to either side of its middle. */
const BIN_RATIO = Math.log(1.05)

type Histogram = {
  /** How many values are in which bin. */
  readonly bins: ReadonlyMap<number, number>
  add(value: number): void
  addAll(other: Histogram): void
  /** The value that this part of all is not above. */
  percentile(part: number): number | undefined
}

function createHistogram(): Histogram {
  const bins = new Map<number, number>()
  let count = 0

  const addTo = (bin: number, size: number) => {
    bins.set(bin, (bins.get(bin) ?? 0) + size)
    count += size
  }
  return {
    bins,
    add: (value) => addTo(Math.round(Math.log(Math.max(1, value)) / BIN_RATIO), 1),
    addAll(other) {
      for (const [bin, size] of other.bins) addTo(bin, size)
    },
    percentile(part) {
      let left = Math.ceil(count * part)
      for (const [bin, size] of [...bins].sort(([a], [b]) => a - b)) {
        left -= size
        if (left <= 0) return Math.round(Math.exp(bin * BIN_RATIO))
      }
      return undefined
    },
  }
}
