import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatReport } from './bench-report.ts'
import { seedOurs, startBare, startDirect, startOurs, type Bench, type Target } from './bench-targets.ts'
import { measureStart, runStep, workloads, type Durations, type Result } from './workloads.ts'

/**
 * Measures our server next to a bare proxy and to nothing at all. Every round starts both servers anew and takes each step on all
 * targets one right after the other, so that a noisy moment of the machine hits them alike.
 */
async function runBench(options: Options): Promise<Result[]> {
  const home = mkdtempSync(join(tmpdir(), 'coze-plus-bench-'))
  process.stderr.write(`the servers write their logs to ${home}\n`)
  const direct = await startDirect(home)
  const bench: Bench = { home, modelPort: direct.port, cpuProfDir: options.cpuProfDir }
  const seed = options.bareOnly ? undefined : await seedOurs(bench)
  const starts = [() => startBare(bench), ...(seed ? [() => startOurs(bench, seed)] : [])]

  const results: Result[] = []
  for (let round = 1; round <= options.rounds; round++) results.push(...(await runRound(round, { bench, direct, starts, options })))

  await direct.stop()
  rmSync(home, { recursive: true, force: true })
  return results
}

type Options = Durations & {
  rounds: number
  workloads: string[]
  json?: string | undefined
  cpuProfDir?: string | undefined
  bareOnly: boolean
}

type RoundDeps = { bench: Bench; direct: Target; starts: (() => Promise<Target>)[]; options: Options }

async function runRound(round: number, { bench, direct, starts, options }: RoundDeps): Promise<Result[]> {
  const results: Result[] = []
  const targets = [direct]
  const measuresStart = options.workloads.includes('w5')
  for (const start of starts) {
    const { target, ...measured } = await measureStart(start, measuresStart ? 5000 : 0)
    if (measuresStart) results.push({ round, step: 'w5', target: target.name, ...measured })
    targets.push(target)
  }

  const warmUp = { ...options, seconds: Math.min(2, options.seconds) }
  for (const kind of ['whole', 'stream', 'read'] as const) {
    for (const target of targets) await runStep({ name: 'warm-up', kind, concurrency: 8 }, { target, bench, durations: warmUp })
  }

  for (const step of options.workloads.flatMap((name) => workloads[name] ?? [])) {
    for (const target of round % 2 ? targets : targets.toReversed()) {
      process.stderr.write(`round ${round} ${step.name} ${target.name}\n`)
      results.push({ round, step: step.name, target: target.name, ...(await runStep(step, { target, bench, durations: options })) })
    }
  }

  for (const target of targets) if (target !== direct) await target.stop()
  return results
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      workloads: { type: 'string', default: 'w5,w1,w2,w4,w3,workflows' },
      streams: { type: 'string', default: '1000' },
      hold: { type: 'string', default: '10' },
      json: { type: 'string' },
      'cpu-prof': { type: 'string' },
      'bare-only': { type: 'boolean', default: false },
    },
  })
  const { json, 'cpu-prof': cpuProfDir, 'bare-only': bareOnly } = values
  const [rounds = 3, seconds = 3, streams = 1000, hold = 10] = [values.rounds, values.seconds, values.streams, values.hold].map(Number)
  return { rounds, seconds, streams, hold, workloads: values.workloads.split(','), json, cpuProfDir, bareOnly }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
const options = parseOptions()
const results = await runBench(options)
const machine = `Node ${process.version}, ${availableParallelism()} cores, ${options.rounds} rounds, medians`
process.stdout.write(`${machine}\n\n${formatReport(results)}\n`)
if (options.workloads.includes('workflows')) {
  // in a process of its own: the engine is measured without HTTP, next to what its rows cost alone
  const file = join(import.meta.dirname, 'workflow-bench.ts')
  spawnSync(process.execPath, ['--expose-gc', file, String(options.seconds)], { stdio: 'inherit' })
}
if (options.json) writeFileSync(options.json, JSON.stringify({ machine, at: new Date().toISOString(), options, results }, null, 1))
