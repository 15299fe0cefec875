import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { codeLimits } from './code-limits.ts'
import { encodeParams } from './sandbox-job.ts'
import type { SandboxJob } from './sandbox-job.ts'
import { createSeccompFilter } from './seccomp-filter.ts'

/**
 * The system's python3 in namespaces of its own: it sees the libraries of the system and nothing else, can write no file,
 * reach no network and start no process, and dies with whoever waits for it.
 */
export async function runPython(job: SandboxJob, dirs = ['/usr/bin', '/usr/local/bin']): Promise<string> {
  const input = encodeJob(job)
  const filter = createSeccompFilter(process.arch)
  if (!filter) throw failed(`Python code nodes cannot run on a processor of the type ${process.arch}`)

  job.signal.throwIfAborted()
  const sandbox = startSandbox(findProgram('bwrap', dirs), findProgram('python3', dirs))
  const stop = () => void sandbox.kill('SIGKILL')
  job.signal.addEventListener('abort', stop)
  try {
    const end = await watch(sandbox, { filter, input })
    job.signal.throwIfAborted()
    return end.outcome === '' ? explain(end) : end.outcome
  } finally {
    job.signal.removeEventListener('abort', stop)
  }
}

const failed = (message: string) => new NodeError(nodeErrors.codeFailed, message)

function encodeJob({ code, params, timeoutMs }: SandboxJob): string {
  const { resultBytes, printedChars, python } = codeLimits
  const rest = { code, cpuSeconds: Math.ceil(timeoutMs / 1000) + 1, resultBytes, printedChars, ...python }
  const paramsText = encodeParams(params, (integer) => JSON.rawJSON(integer.toString()))
  return `${JSON.stringify(rest).slice(0, -1)},"params":${paramsText}}`
}

const packages = { bwrap: 'bubblewrap', python3: 'python3' }

function findProgram(name: keyof typeof packages, dirs: string[]): string {
  const found = dirs.map((dir) => join(dir, name)).find((path) => existsSync(path))
  if (found === undefined)
    throw failed(`Python code nodes need ${name} in ${dirs.join(' or ')}: install the package ${packages[name]} on the server`)
  return found
}

function startSandbox(bwrap: string, python: string): ChildProcess {
  const prelude = fileURLToPath(new URL('./python-prelude.py', import.meta.url))
  const visible = [...LIBRARIES, python].flatMap((path) => ['--ro-bind-try', path, path])
  const options = [
    ...['--unshare-all', '--die-with-parent', '--new-session', '--uid', '65534', '--gid', '65534', '--hostname', 'code'],
    ...[...visible, '--ro-bind', prelude, '/prelude.py', '--dev-bind', '/dev/null', '/dev/null'],
    // @NOTE no /tmp either: the size of one can be limited, but not how many empty files the kernel has to remember
    ...['--remount-ro', '/', '--chdir', '/', '--seccomp', '3'],
  ]
  return spawn(bwrap, [...options, python, '-I', '-B', '-X', 'utf8', '/prelude.py'], {
    cwd: '/',
    env: {
      ...{ PATH: '/usr/bin', HOME: '/', LANG: 'C.UTF-8', OPENBLAS_NUM_THREADS: '1' },
      // as in JavaScript
      TZ: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
}

/** Of the system, for python3 and its modules. Not all of `/usr`: what the operator has put there is not for builders. */
const LIBRARIES = [
  '/usr/lib',
  '/usr/lib64',
  '/usr/local/lib',
  '/lib',
  '/lib64',
  '/usr/share/zoneinfo',
  '/etc/alternatives',
  '/etc/ld.so.cache',
]

type End = { outcome: string; complaint: string; exitCode: number | null }

/** Resolves when the sandbox is gone. What it writes beyond the limits ends it. */
async function watch(sandbox: ChildProcess, { filter, input }: { filter: Buffer; input: string }): Promise<End> {
  const { stdin, stdout, stderr } = sandbox
  const filterPipe = sandbox.stdio[3]
  if (!stdin || !stdout || !stderr || !(filterPipe instanceof Writable)) throw new Error('a process without its pipes')

  const stop = () => void sandbox.kill('SIGKILL')
  const ended = once(sandbox, 'close')
  give(filterPipe, filter)
  give(stdin, input)
  const [outcome, complaint] = await Promise.all([
    readUpTo(codeLimits.resultBytes + OUTCOME_BYTES, stdout, stop),
    readUpTo(COMPLAINT_BYTES, stderr, stop),
    ended,
  ])
  return { outcome, complaint, exitCode: sandbox.exitCode }
}

/** More than what stands around a result, so that a result that is too large is seen as one. */
const OUTCOME_BYTES = 1_000
const COMPLAINT_BYTES = 8_000

function give(pipe: Writable, content: string | Buffer): void {
  // a sandbox that ends before it has read all says why itself
  pipe.on('error', () => undefined)
  pipe.end(content)
}

async function readUpTo(maxBytes: number, stream: Readable, onMore: () => void): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    if (bytes <= maxBytes) chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) onMore()
  })
  await once(stream, 'close')
  return Buffer.concat(chunks).toString()
}

/** It ended without a word of the prelude. */
function explain({ complaint, exitCode }: End): never {
  const [, reason] = /^bwrap: (.*)/m.exec(complaint) ?? []
  if (reason !== undefined)
    throw failed(`the sandbox for Python cannot start on the server: ${reason}. docs/code-nodes.md says what it needs`)

  const lastLine = complaint.trim().split('\n').at(-1) ?? ''
  throw failed(`Python ended before main returned (exit code ${exitCode ?? 'none'})${lastLine && `: ${lastLine}`}`)
}
