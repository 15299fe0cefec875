import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'

/** A program started by a test. It ends with the test's process at the latest. */
export type ChildProgram = AsyncDisposable & {
  /** What it has printed so far. */
  printed(): { stdout: string; stderr: string }
  /** Resolves when standard output has it; throws with all output when it ends before, or when `ms` are over. */
  untilPrinted(text: string, ms?: number): Promise<void>
  ended: Promise<Ended>
  /** SIGTERM by default, SIGKILL when that does not help. */
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

export type Ended = { exitCode: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }

export type ProgramOptions = {
  cwd?: string
  /** Beside these a program sees PATH, a UTF-8 locale, and no home, so that no settings of this machine's user count. */
  env?: Record<string, string>
  onStdout?: (text: string) => void
}

export function startProgram(command: string, args: string[], { cwd, env, onStdout }: ProgramOptions = {}): ChildProgram {
  const child = spawn(command, args, { cwd, env: { ...CLEAN_ENV, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text
    onStdout?.(text)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text))
  child.on('error', (cause) => (printed.stderr += String(cause)))

  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const closed = new Promise((resolve) => child.once('close', resolve))
  const ended = closed.then(() => {
    process.removeListener('exit', killAtExit)
    return { exitCode: child.exitCode, signal: child.signalCode, ...printed }
  })

  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    child.kill(signal)
    const impatience = setTimeout(killAtExit, STOP_TIMEOUT_MS)
    const result = await ended
    clearTimeout(impatience)
    return result
  }

  return {
    printed: () => printed,
    ended,
    stop,
    async untilPrinted(text, ms = START_TIMEOUT_MS) {
      const tooLate = AbortSignal.timeout(ms)
      while (!printed.stdout.includes(text)) {
        const isOver = await Promise.race([once(child.stdout, 'data', { signal: tooLate }).then(() => false), closed.then(() => true)])
        if (isOver && !printed.stdout.includes(text))
          throw new Error(`${command} ended with ${child.exitCode ?? child.signalCode}:\n${printed.stdout}${printed.stderr}`)
      }
    },
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
}

/** Runs it to its end. */
export async function runProgram(command: string, args: string[], options?: ProgramOptions): Promise<Ended> {
  const program = startProgram(command, args, options)
  const impatience = setTimeout(() => void program.stop('SIGKILL'), RUN_TIMEOUT_MS)
  const result = await program.ended
  clearTimeout(impatience)
  return result
}

/** Standard output of a program that must succeed. */
export async function outputOf(command: string, args: string[], options?: ProgramOptions): Promise<string> {
  const { exitCode, signal, stdout, stderr } = await runProgram(command, args, options)
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${exitCode ?? signal}:\n${stdout}${stderr}`)
  return stdout
}

const RUN_TIMEOUT_MS = 30_000
const START_TIMEOUT_MS = 20_000
const STOP_TIMEOUT_MS = 10_000
const CLEAN_ENV = { PATH: process.env.PATH ?? '', TMPDIR: tmpdir(), HOME: '/nonexistent', LC_ALL: 'C.UTF-8' }
