import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { outputOf, runProgram } from '../support/child-program.ts'
import { findPrograms, requireProgram } from '../support/find-program.ts'
import type { SampleSet } from './guide-files.ts'

/** What a reader of the guide puts into a sample before running it; nothing else of it changes. */
export type Filling = { port: number; secret: string; cookie?: string }

/** A folder such as a reader has: the sample as a file, axios installed beside it. */
export type SampleRunner = AsyncDisposable & {
  dir: string
  /** Standard output of what bash makes of the sample. */
  runShell(name: string, filling: Filling): Promise<string>
  /** Several samples are one program, as the guide means it where a later one uses names of an earlier. `extra` comes after them. */
  runPython(names: string[], filling: Filling, extra?: string): Promise<string>
  runNode(source: string, filling: Filling): Promise<string>
  runTypeScript(name: string, filling: Filling, extra?: string): Promise<string>
}

export async function createSampleRunner(samples: SampleSet): Promise<SampleRunner> {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-samples-'))
  const axios = dirname(createRequire(import.meta.url).resolve('axios/package.json'))
  const nodeModules = join(dir, 'node_modules')
  await writeFile(join(dir, 'package.json'), '{ "private": true }')
  await mkdir(nodeModules)
  await symlink(axios, join(nodeModules, 'axios'))

  async function run(program: string, fileName: string, source: string): Promise<string> {
    await writeFile(join(dir, fileName), source)
    return outputOf(program, [fileName], { cwd: dir })
  }
  return {
    dir,
    runShell: async (name, filling) => run(requireProgram('bash'), name, fill(await samples.read(name), filling)),
    async runPython(names, filling, extra = '') {
      const parts = await Promise.all(names.map(samples.read))
      return run(await requirePython(), 'sample.py', fill([...parts, extra].join('\n'), filling))
    },
    runNode: (source, filling) => run(process.execPath, 'sample.js', fill(source, filling)),
    async runTypeScript(name, filling, extra = '') {
      const source = fill(`${await samples.read(name)}\n${extra}`, filling)
      return run(process.execPath, 'sample.mjs', toJavaScript(source))
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
}

/** Undefined where no python3 of this machine has the package `requests`. */
export async function findPython(): Promise<string | undefined> {
  for (const python of findPrograms('python3')) {
    const { exitCode } = await runProgram(python, ['-c', 'import requests'])
    if (exitCode === 0) return python
  }
  return undefined
}

async function requirePython(): Promise<string> {
  const python = await findPython()
  if (python === undefined) throw new Error('no python3 here has the package requests')
  return python
}

/** Throws when there is nothing to fill in: then it would not be this server that the sample talks to. */
function fill(sample: string, { port, secret, cookie = '' }: Filling): string {
  if (!sample.includes('localhost:8888')) throw new Error('the sample does not name localhost:8888')
  return sample
    .replaceAll('localhost:8888', `localhost:${port}`)
    .replace(/\bpat_\w+/g, secret)
    .replaceAll('your_session_cookie', cookie)
}

/** As a bundler or ts-node does it: types go, imports that are only types with them. */
function toJavaScript(source: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  return ts.transpileModule(source, { compilerOptions }).outputText
}
