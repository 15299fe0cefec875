import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * Measures our server and other products by turns, with a kit that has an adapter for each; says what `docs/benchmarks.md` shows.
 *
 *   npm run bench:compare -- --kit ../shared/bench --rounds 3
 *
 * Products are installed below BENCH_HOME when they are not there yet. BENCH_NODE is the Node of the kit and of products that do not ask
 * for one, as some need an old one. The kit itself stays as it is: a copy of it gets our adapter.
 */
const { values } = parseArgs({
  options: {
    kit: { type: 'string' },
    targets: { type: 'string', default: 'bare,floor,coze-plus,portkey,mastra,langgraph,flowise,n8n' },
    // most products cannot hold a thousand streams, and take minutes to say so
    'stream-targets': { type: 'string', default: 'bare,floor,coze-plus' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
  },
})
if (!values.kit || !existsSync(join(values.kit, 'run.mjs'))) throw new Error('--kit must name the folder of the kit: the one with run.mjs')

const home = process.env.BENCH_HOME ?? join(homedir(), '.coze-plus-bench')
const root = join(import.meta.dirname, '..')
const nodeOfKit = process.env.BENCH_NODE ?? process.execPath
const kit = mkdtempSync(join(tmpdir(), 'coze-plus-kit-'))
cpSync(values.kit, kit, { recursive: true })
copyFileSync(join(import.meta.dirname, 'targets/coze-plus.mjs'), join(kit, 'targets/coze-plus.mjs'))
const env = { ...process.env, BENCH_HOME: home, BENCH_NODE_24: join(root, 'node_modules/node/bin/node'), COZE_PLUS_DIR: root }

const targets = values.targets.split(',')
const installs = targets.filter(hasPackages).map(install)
const out = join(kit, 'results.jsonl')
measure(targets, 'w1,w2,w4,w5', out)
const streamsOut = join(kit, 'streams.jsonl')
measure(values['stream-targets'].split(','), 'w3', streamsOut)

for (const results of [out, streamsOut]) console.log(report(results))
console.log(['| product | installs in, s | MB | packages |', '|---|--:|--:|--:|', ...installs].join('\n'))
console.error(`every figure of every round: ${out}, ${streamsOut}`)

function hasPackages(name: string): boolean {
  return /^\s*packages:/m.test(readFileSync(join(kit, 'targets', `${name}.mjs`), 'utf8'))
}

/** A row of the table of sizes; the time is that of an empty npm cache. */
function install(name: string): string {
  const note = join(home, name, 'installed.json')
  if (!existsSync(note)) writeFileSync(note, node(['install.mjs', name]).trim().split('\n').at(-1) ?? '')
  const { seconds, rebuildSeconds = 0, mb, packages } = parseInstalled(readFileSync(note, 'utf8'))
  return `| ${name} | ${Math.round(seconds + rebuildSeconds)} | ${mb} | ${packages} |`
}

type Installed = { seconds: number; rebuildSeconds?: number; mb: number; packages: number }

function parseInstalled(line: string): Installed {
  return JSON.parse(line) as Installed
}

function measure(names: string[], workloads: string, results: string): void {
  const { rounds, seconds } = values
  const asked = ['--targets', names.join(','), '--workloads', workloads, '--rounds', rounds, '--seconds', seconds, '--out', results]
  const { status } = spawnSync(nodeOfKit, ['run.mjs', ...asked], { cwd: kit, env, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`the kit ended with ${status}`)
}

function report(results: string): string {
  return node(['report.mjs', results, '--base', 'bare'])
}

function node(args: string[]): string {
  return execFileSync(nodeOfKit, args, { cwd: kit, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
