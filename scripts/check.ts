/**
 * `npm run check`: everything that can be said about the code without running it. Every part runs, also after one has failed, and the
 * last lines say which failed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { text } from 'node:stream/consumers'
import { nameProblems } from './name-rules.ts'

type Outcome = { ok: boolean; output: string }

const parts: Record<string, () => Promise<Outcome> | Outcome> = {
  types: () => runTool('tsc', ['--noEmit', '--pretty', 'false']),
  'types of the console': () => runTool('tsc', ['--noEmit', '--pretty', 'false', '-p', 'console']),
  'lint (rules, layers, import cycles, budget)': () => runTool('eslint', ['--max-warnings', '0', '.']),
  format: () => runTool('prettier', ['--check', '--log-level', 'warn', '.']),
  'file names': () => outcomeOf(nameProblems(listSources())),
  'lockfile names no registry': () => outcomeOf(lockedAddresses()),
}

const outcomes = await Promise.all(Object.entries(parts).map(async ([name, run]) => ({ name, ...(await run()) })))
const failed = outcomes.filter(({ ok }) => !ok)

for (const { name, output } of failed) console.log(`── ${name}\n${output.trim()}\n`)
for (const { name, ok } of outcomes) console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}`)
if (failed.some(({ name }) => name === 'format')) console.log('`npm run fix` formats every file.')
process.exitCode = failed.length > 0 ? 1 : 0

/** `npm run` puts the tools on PATH. */
async function runTool(command: string, args: string[]): Promise<Outcome> {
  const tool = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })
  const [stdout, stderr] = await Promise.all([text(tool.stdout), text(tool.stderr), once(tool, 'close')])
  return { ok: tool.exitCode === 0, output: stdout + stderr }
}

function outcomeOf(problems: readonly string[]): Outcome {
  return { ok: problems.length === 0, output: problems.join('\n') }
}

function listSources(): string[] {
  const ignored = ['node_modules', 'dist', 'coverage', '.cache', 'data']
  return globSync('**/*.{ts,tsx,js,css}', { exclude: (path) => ignored.includes(basename(path)) })
}

/** The lines of package-lock.json that hold a download address: whoever installs uses the registry of their own settings. */
function lockedAddresses(): string[] {
  const lines = readFileSync('package-lock.json', 'utf8').split('\n')
  return lines.filter((line) => /"resolved": *"[a-z+]+:/.test(line)).map((line) => line.trim())
}
