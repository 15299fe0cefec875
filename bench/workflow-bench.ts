import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openDatabase } from '../server/src/db/database.ts'
import { migrate } from '../server/src/db/migrate.ts'
import { createCodeRunner } from '../server/src/workflows/code/code-runner.ts'
import { drawCanvas, input, params, ref } from '../server/test/support/canvas-builder.ts'
import type { CanvasJson } from '../server/test/support/canvas-builder.ts'
import { engineHouse } from '../server/test/support/engine-house.ts'
import { openWorkflowRunHouse } from '../server/test/support/workflow-run-house.ts'
import type { WorkflowRunHouse } from '../server/test/support/workflow-run-house.ts'

/**
 * What the workflow engine costs: without a store, with its records in a SQLite file, and next to the
 * limit, which is to write the same rows with one prepared statement in one transaction for each run.
 *
 *     npx node --expose-gc bench/workflow-bench.ts [seconds]
 */
const SECONDS = Number(process.argv[2] ?? 3)
const WAITING_RUNS = 10_000

type Row = { label: string; value: string; note: string }

async function runBench(): Promise<void> {
  const db = await openDatabase({ kind: 'sqlite', path: join(home, 'bench.db') })
  await migrate(db)
  const house = openWorkflowRunHouse(db)
  const rows = [
    ...(await measureGraph(house, { label: 'chain of 100 text nodes', canvas: textChain(100), nodes: 102, args: { text: 'some text' } })),
    ...(await measureGraph(house, { label: 'batch of 1,000 elements', canvas: batch(), nodes: 2_003, args: { items: thousand() } })),
    ...(await measureWaiting(house)),
    ...(await measureCode()),
  ]
  process.stdout.write(
    ['| | | |', '|---|--:|---|', ...rows.map(({ label, value, note }) => `| ${label} | ${value} | ${note} |`), ''].join('\n'),
  )
  if (house.errors.length > 0) throw new Error('runs failed', { cause: house.errors[0] })
  await db.destroy()
}

type Measured = { label: string; canvas: CanvasJson; nodes: number; args: Record<string, never[] | string | string[]> }

async function measureGraph(house: WorkflowRunHouse, { label, canvas, nodes, args }: Measured): Promise<Row[]> {
  const engine = engineHouse()
  const workflowId = await house.store(canvas, { name: label })
  const run = async (): Promise<void> => {
    const { status, error } = await house.run(workflowId, { parameters: args })
    if (status !== 'succeeded') throw new Error(`the run ${status}: ${error?.message ?? ''}`)
  }
  // in turns: a noisy moment hits all of them
  const perRun: Record<'engine' | 'stored' | 'limit', number[]> = { engine: [], stored: [], limit: [] }
  for (let round = 0; round < 3; round++) {
    perRun.engine.push(await msPerRun(async () => void (await engine.run(canvas, args))))
    perRun.stored.push(await msPerRun(run))
    perRun.limit.push(await msPerRun(rowWriter(nodes)))
  }
  const [alone, stored, limit] = [median(perRun.engine), median(perRun.stored), median(perRun.limit)]
  return [
    {
      label: `${label}: engine alone`,
      value: `${show((nodes / alone) * 1000)} nodes/s`,
      note: `${show((alone / nodes) * 1000)} µs a node`,
    },
    { label: `${label}: stored`, value: `${show((nodes / stored) * 1000)} nodes/s`, note: `one run at a time, ${show(stored)} ms each` },
    {
      label: `${label}: added by checkpoints`,
      value: `${show(((stored - alone) / nodes) * 1000)} µs a node`,
      note: `rows alone: ${show((limit / nodes) * 1000)} µs; stored ÷ rows alone ×${show(stored / limit)}`,
    },
  ]
}

async function msPerRun(work: () => Promise<void>): Promise<number> {
  for (let at = 0; at < 3; at++) await work()
  const began = performance.now()
  let runs = 0
  while (performance.now() - began < (SECONDS * 1000) / 3) {
    await work()
    runs++
  }
  return (performance.now() - began) / runs
}

/** The limit: rows of the same size, as fast as SQLite takes them. */
function rowWriter(count: number): () => Promise<void> {
  const raw = new Database(join(home, `limit-${count}-${performance.now()}.db`))
  raw.pragma('journal_mode = WAL')
  raw.pragma('synchronous = NORMAL')
  raw.exec('create table t (run_id integer, path text, inputs text, outputs text, started_at integer, primary key (run_id, path))')
  const insert = raw.prepare('replace into t values (?, ?, ?, ?, ?)')
  let runId = 0
  const write = raw.transaction(() => {
    runId++
    for (let at = 0; at < count; at++) insert.run(runId, `node/${at}`, '{"String1":"some text"}', '{"output":"some text"}', runId)
  })
  return async () => write()
}

async function measureWaiting(house: WorkflowRunHouse): Promise<Row[]> {
  const workflowId = await house.store(asking(), { name: 'asking' })
  for (let at = 0; at < 500; at++) await house.run(workflowId)
  const before = heap()
  const began = performance.now()
  for (let at = 0; at < WAITING_RUNS / 50; at++) {
    const runs = await Promise.all(Array.from({ length: 50 }, () => house.run(workflowId)))
    if (runs.some(({ status }) => status !== 'waiting')) throw new Error('a run does not wait')
  }
  const seconds = (performance.now() - began) / 1000
  const bytes = (heap() - before) / WAITING_RUNS
  return [
    {
      label: 'memory of a waiting run',
      value: `${show(Math.max(0, bytes))} bytes`,
      note: `${WAITING_RUNS} waiting runs, ${show(WAITING_RUNS / seconds)} started a second`,
    },
  ]
}

function heap(): number {
  global.gc?.()
  global.gc?.()
  return process.memoryUsage().heapUsed
}

async function measureCode(): Promise<Row[]> {
  const rows: Row[] = []
  for (const language of ['javascript', 'python'] as const) {
    const code =
      language === 'python'
        ? 'async def main(args):\n    return {"n": args.params["n"] + 1}'
        : 'async function main({ params }) { return { n: params.n + 1 } }'
    const runner = createCodeRunner()
    const times: number[] = []
    for (let at = 0; at < 20; at++) {
      const began = performance.now()
      await runner.run({ language, code, params: { n: at }, signal: new AbortController().signal })
      times.push(performance.now() - began)
    }
    await runner.close()
    rows.push({
      label: `code node, ${language}`,
      value: `${show(times[0] ?? 0)} ms first`,
      note: `${show(median(times.slice(1)))} ms after that`,
    })
  }
  return rows
}

function textChain(count: number): CanvasJson {
  const ids = Array.from({ length: count }, (_each, at) => String(1_000 + at))
  const drawing = drawCanvas()
    .entry({ text: 'string' })
    .exit({ text: ref(`${ids.at(-1) ?? ''}.output`) })
  ids.forEach((id, at) => addText(drawing, id, at === 0 ? 'entry.text' : `${ids[at - 1] ?? ''}.output`))
  return drawing.edges(`entry > ${ids.join(' > ')} > exit`).build()
}

function addText(drawing: ReturnType<typeof drawCanvas>, id: string, source: string): void {
  drawing.node(id, 15, {
    params: { String1: ref(source) },
    inputs: { method: 'concat', concatParams: params({ concatResult: '{{String1}}', arrayItemConcatChar: ',' }) },
    outputs: { output: 'string' },
  })
}

function batch(): CanvasJson {
  return drawCanvas()
    .entry({ items: ['string'] })
    .batch(
      '300',
      { size: 1000, concurrency: 10, params: { item: ref('entry.items', ['string']) }, outputs: { texts: ref('301.output', ['string']) } },
      (body) => {
        addText(body, '301', '300.item')
        body.edges('start > 301 > end')
      },
    )
    .exit({ texts: ref('300.texts', ['string']) })
    .edges('entry > 300:batch-output > exit')
    .build()
}

const asking = (): CanvasJson =>
  drawCanvas()
    .entry({})
    .node('101', 30, { inputs: { outputSchema: '[{"type":"string","name":"name"}]', text: input('') }, outputs: { name: 'string' } })
    .exit({ name: ref('101.name') })
    .edges('entry > 101 > exit')
    .build()

const thousand = (): string[] => Array.from({ length: 1000 }, (_each, at) => `element ${at}`)

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const show = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2))

const home = mkdtempSync(join(tmpdir(), 'coze-plus-workflow-bench-'))
try {
  await runBench()
} finally {
  rmSync(home, { recursive: true, force: true })
}
