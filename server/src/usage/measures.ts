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
  readonly calls: number
  build(): Measures
}

export function createMeasures(): MeasuresBuilder {
  const counts = { done: 0, failed: 0, canceled: 0, open: 0 }
  const latency = createHistogram()
  const firstToken = createHistogram()
  let inputTokens = 0
  let outputTokens = 0

  const sum = () => counts.done + counts.failed + counts.canceled + counts.open
  return {
    get calls() {
      return sum()
    },
    add(call) {
      counts[call.outcome]++
      inputTokens += call.inputTokens
      outputTokens += call.outputTokens
      if (call.latencyMs !== undefined) latency.add(call.latencyMs)
      if (call.firstTokenMs !== undefined) firstToken.add(call.firstTokenMs)
    },
    build: () => ({
      ...{ calls: sum(), errors: counts.failed, canceled: counts.canceled, open: counts.open, inputTokens, outputTokens },
      latencyMs: { p50: latency.percentile(0.5), p95: latency.percentile(0.95) },
      firstTokenMs: { p50: firstToken.percentile(0.5), p95: firstToken.percentile(0.95) },
    }),
  }
}

/** Bins of a fixed ratio: whatever the size of a value, its bin is as exact. 2.5 % to either side of its middle. */
const BIN_RATIO = Math.log(1.05)

function createHistogram() {
  const bins = new Map<number, number>()
  let count = 0

  return {
    add(value: number): void {
      const bin = Math.round(Math.log(Math.max(1, value)) / BIN_RATIO)
      bins.set(bin, (bins.get(bin) ?? 0) + 1)
      count++
    },
    /** The value that this part of all is not above. */
    percentile(part: number): number | undefined {
      let left = Math.ceil(count * part)
      for (const [bin, size] of [...bins].sort(([a], [b]) => a - b)) {
        left -= size
        if (left <= 0) return Math.round(Math.exp(bin * BIN_RATIO))
      }
      return undefined
    },
  }
}
