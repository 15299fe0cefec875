import type { TargetName } from './bench-targets.ts'
import type { FigureName, Result } from './workloads.ts'

/** The results as a Markdown table: medians over the rounds, our ratio to the bare proxy in the same round, and the goals. */
export function formatReport(results: Result[]): string {
  const measured = new Set(results.map((result) => result.step))
  const head = ['| | direct | bare | ours | ours ÷ bare | goal | |', '|---|--:|--:|--:|--:|--:|---|']
  const lines = rows.filter((row) => measured.has(row.step)).map((row) => formatRow(row, results))
  return [...head, ...lines, '', ...listFaults(results), ...listDoubts(results)].join('\n')
}

type Goal = { ratioAtLeast: number } | { atMost: number }

type Row = { label: string; step: string; figure: FigureName; goal?: Goal }

const rows: Row[] = [
  { label: 'W1 whole answers, 32 clients, req/s', step: 'w1.c32', figure: 'perSecond', goal: { ratioAtLeast: 0.2 } },
  { label: 'W1 32 clients, CPU µs/request', step: 'w1.c32', figure: 'cpuUsPerRequest' },
  { label: 'W1 one client, p50 ms', step: 'w1.c1', figure: 'totalP50Ms', goal: { atMost: 1.5 } },
  { label: 'W2 streams of 100 chunks, 32 clients, chunks/s', step: 'w2.c32', figure: 'chunksPerSecond', goal: { ratioAtLeast: 0.5 } },
  { label: 'W2 32 clients, CPU µs/chunk', step: 'w2.c32', figure: 'cpuUsPerChunk', goal: { atMost: 18 } },
  { label: 'W2 32 clients, chunk delay p99 ms', step: 'w2.c32', figure: 'chunkDelayP99Ms' },
  { label: 'W2 one client, time to first token p50 ms', step: 'w2.c1', figure: 'firstP50Ms', goal: { atMost: 2 } },
  { label: 'W3 many live streams, time to first token p99 ms', step: 'w3', figure: 'firstP99Ms', goal: { atMost: 100 } },
  { label: 'W3 chunk delay p99 ms', step: 'w3', figure: 'chunkDelayP99Ms' },
  { label: 'W3 worst event-loop stall ms', step: 'w3', figure: 'loopStallMs', goal: { atMost: 100 } },
  { label: 'W3 CPU µs/chunk', step: 'w3', figure: 'cpuUsPerChunk' },
  { label: 'W3 peak RSS MB', step: 'w3', figure: 'peakRssMb', goal: { atMost: 250 } },
  { label: 'W4 authenticated read, 32 clients, req/s', step: 'w4.c32', figure: 'perSecond', goal: { ratioAtLeast: 0.45 } },
  { label: 'W4 one client, p50 ms', step: 'w4.c1', figure: 'totalP50Ms' },
  { label: 'W5 first answer from spawn ms', step: 'w5', figure: 'firstAnswerMs', goal: { atMost: 1000 } },
  { label: 'W5 idle RSS MB', step: 'w5', figure: 'idleRssMb', goal: { atMost: 120 } },
]

function formatRow({ label, step, figure, goal }: Row, results: Result[]): string {
  const byRound = (target: TargetName) =>
    new Map(
      results.filter((result) => result.step === step && result.target === target).map((result) => [result.round, result.figures[figure]]),
    )
  const [direct, bare, ours] = [byRound('direct'), byRound('bare'), byRound('ours')]
  const ratio = median([...ours].map(([round, value]) => (value ?? Number.NaN) / (bare.get(round) ?? Number.NaN)))
  const value = median([...ours.values()])

  const cells = [
    ...[direct, bare].map((target) => show(median([...target.values()]))),
    show(value),
    Number.isNaN(ratio) ? '–' : `×${ratio.toFixed(2)}`,
  ]
  const isSound = !results.some((result) => result.step === step && result.target === 'ours' && result.figures.failed)
  return `| ${label} | ${cells.join(' | ')} | ${judge(goal, { value, ratio, isSound })} |`
}

function judge(goal: Goal | undefined, { value, ratio, isSound }: { value: number; ratio: number; isSound: boolean }): string {
  if (!goal) return ' | '
  const [text, measured, isMet] =
    'atMost' in goal ? [`≤ ${goal.atMost}`, value, value <= goal.atMost] : [`≥ ×${goal.ratioAtLeast}`, ratio, ratio >= goal.ratioAtLeast]
  if (!isSound) return `${text} | **answers failed**`
  return `${text} | ${Number.isNaN(measured) ? '' : isMet ? 'met' : '**missed**'}`
}

function listFaults(results: Result[]): string[] {
  const bad = results.filter((result) => result.figures.failed)
  if (bad.length === 0) return ['No answer was wrong or incomplete.']
  return bad.map(
    ({ round, step, target, faults }) => `- **failed**, not in the figures: round ${round} ${step} ${target}: ${JSON.stringify(faults)}`,
  )
}

/** The steps themselves are in the JSON. */
function listDoubts(results: Result[]): string[] {
  const disturbed = results.flatMap(({ figures: { othersCores = 0 } }) => (othersCores > 0.15 ? [othersCores] : []))
  if (disturbed.length === 0) return []
  return [
    `- in ${disturbed.length} of ${results.length} measurements other processes took cores (${show(Math.max(...disturbed))} at worst): distrust, repeat`,
  ]
}

function median(values: (number | undefined)[]): number {
  const sorted = values.filter((value) => value !== undefined && !Number.isNaN(value)).sort((a, b) => Number(a) - Number(b))
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2
}

function show(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(value >= 10 ? 1 : 2)
}
