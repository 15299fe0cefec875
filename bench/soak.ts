import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as openRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { createApp } from '../server/src/app.ts'
import { firstRun } from '../server/src/cli/first-run.ts'
import { loadConfig } from '../server/src/config.ts'
import { openCore } from '../server/src/core.ts'
import { createFakeModel } from './fake-model.ts'

/**
 * Many runs on one server, of which every tenth loses its client in the middle; says how much memory is held after a full collection.
 *
 *   npm run bench:soak                RUNS=100000 EVERY=10000 when nothing else is said
 *
 * Server, model and clients share this process: what any of them keeps shows.
 */
export type Sample = { runs: number; heapMb: number; rssMb: number; runsPerSecond: number }
export type Soak = { runs: number; every: number; home: string; onSample?: (sample: Sample) => void }

export async function soak({ runs, every, home, onSample }: Soak): Promise<Sample[]> {
  const model = createFakeModel().listen(0, '127.0.0.1')
  await once(model, 'listening')
  const modelPort = portOf(model.address())
  await fetch(`http://127.0.0.1:${modelPort}/pace`, { method: 'POST', body: JSON.stringify({ chunks: CHUNKS, intervalMs: 0 }) })
  const server = await startServer(home, modelPort)
  const samples: Sample[] = []
  try {
    for (let done = 0; done < runs; done += every) {
      const startedAt = performance.now()
      const count = Math.min(every, runs - done)
      await chatMany(server, done, count)
      const seconds = (performance.now() - startedAt) / 1000
      const sample = { runs: done + count, ...(await heldMemory()), runsPerSecond: Math.round(count / seconds) }
      samples.push(sample)
      onSample?.(sample)
    }
  } finally {
    await server.stop()
    model.closeAllConnections()
    model.close()
  }
  return samples
}

type Server = { port: number; apiKey: string; stop: () => Promise<void> }

async function startServer(home: string, modelPort: number): Promise<Server> {
  const config = loadConfig({
    ...{ DATA_DIR: home, MASTER_KEY: 'soak', DRAIN_SECONDS: '2', OPENAI_API_KEY: 'soak', OPENAI_MODEL: 'bench' },
    OPENAI_BASE_URL: `http://127.0.0.1:${modelPort}/v1`,
  })
  const core = await openCore(config, { logger: pino({ level: 'silent' }) })
  const made = await firstRun(core)
  const app = await createApp(core)
  await app.http.listen({ host: '127.0.0.1', port: 0 })
  const stop = async () => {
    await app.close()
    await core.close()
  }
  return { port: portOf(app.http.server.address()), apiKey: made?.apiKey ?? '', stop }
}

function portOf(address: ReturnType<ReturnType<typeof createFakeModel>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

const AT_ONCE = 32
const CHUNKS = 20
const DROPPED_EVERY = 10

async function chatMany(server: Server, from: number, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  let next = from
  const lane = async () => {
    while (next < from + count) await chat(server, agent, next++ % DROPPED_EVERY === 0)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  agent.destroy()
}

/** A client that drops hangs up when the first bytes have come. */
function chat({ port, apiKey }: Server, agent: Agent, drops: boolean): Promise<void> {
  const body = JSON.stringify({ bot_id: '123456', user_id: 'soak', query: 'Hello', stream: true })
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sent = openRequest({ host: '127.0.0.1', port, agent, method: 'POST', path: '/v3/chat', headers }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`the server answered ${response.statusCode}`))
      response.on('data', () => drops && response.destroy())
      response.on('error', () => undefined)
      response.on('close', resolve)
    })
    sent.on('error', (cause) => (drops ? resolve() : reject(cause)))
    sent.end(body)
  })
}

const SETTLE_MS = 1_500

/** After the runs that lost their clients have ended, and what was held for a moment is let go. */
async function heldMemory(): Promise<Pick<Sample, 'heapMb' | 'rssMb'>> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  setFlagsFromString('--expose-gc')
  for (let pass = 0; pass < 2; pass++) runInNewContext('gc()')
  const { heapUsed, rss } = process.memoryUsage()
  return { heapMb: round(heapUsed), rssMb: round(rss) }
}

const round = (bytes: number) => Math.round((bytes / 1024 / 1024) * 10) / 10

if (import.meta.main) {
  const home = mkdtempSync(join(tmpdir(), 'coze-plus-soak-'))
  const [runs, every] = [Number(process.env.RUNS ?? 100_000), Number(process.env.EVERY ?? 10_000)]
  const show = ({ runs: done, heapMb, rssMb, runsPerSecond }: Sample) =>
    process.stdout.write(`${done} runs: heap ${heapMb} MB, resident ${rssMb} MB, ${runsPerSecond} runs/s\n`)
  await soak({ runs, every, home, onSample: show })
  rmSync(home, { recursive: true, force: true })
}
