import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type BenchProcess = { pid: number; port: number; stop: () => Promise<void> }

export type ProcessPlan = {
  name: string
  /** Arguments of the running Node. */
  args: string[]
  env?: Record<string, string>
  /** The output goes to `<home>/<name>.log`. */
  home: string
}

/** Starts a server on a free port of its own. It sees only the environment given here, and ends with us. */
export async function startProcess({ name, args, env, home }: ProcessPlan): Promise<BenchProcess> {
  const port = await findFreePort()
  const log = openSync(join(home, `${name}.log`), 'a')
  const child = spawn(process.execPath, args, { env: { ...baseEnv(home), ...env, PORT: String(port) }, stdio: ['ignore', log, log] })
  closeSync(log)
  if (child.pid === undefined) throw new Error(`${name} did not start`)

  const exited = once(child, 'exit')
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)

  return {
    pid: child.pid,
    port,
    async stop() {
      child.kill('SIGTERM')
      const force = setTimeout(kill, 10_000)
      if (child.exitCode === null && child.signalCode === null) await exited
      clearTimeout(force)
      process.off('exit', kill)
    },
  }
}

/** What a process gets to see: nothing of the caller's settings, so that every run is alike. */
export function baseEnv(home: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: home, NODE_ENV: 'production' }
}

/** Asks again until the answer is yes. */
export async function waitUntil(check: () => Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = performance.now() + 30_000
  while (!(await check())) {
    if (performance.now() > giveUpAt) throw new Error(`gave up waiting for ${what}`)
    await sleep(10)
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
