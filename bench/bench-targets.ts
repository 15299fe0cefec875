import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { baseEnv, startProcess, waitUntil, type BenchProcess } from './bench-process.ts'
import { formatRequest } from './http-connection.ts'
import { generateLoad, judgeStream, judgeWhole, type Exchange } from './load-generator.ts'
import { createStampReader } from './stamps.ts'

/** Who is measured: the fake model itself (the generator's own limit), the bare proxy (the physical limit), our server. */
export type TargetName = 'direct' | 'bare' | 'ours'

export type Target = BenchProcess & {
  name: TargetName
  whole: Exchange
  stream: (chunks: number) => Exchange
  read: Exchange
  /** Where its event-loop stalls are noted. */
  loopFile?: string
}

export type Bench = {
  home: string
  modelPort: number
  cpuProfDir?: string | undefined
  /** Settings of our server beside those of every bench. */
  env?: Record<string, string>
}

const here = import.meta.dirname
const cli = resolve(here, '../server/bin/coze-plus.js')
const question = 'Hello, please introduce your features.'

export async function startDirect(home: string): Promise<Target> {
  const model = await startProcess({ name: 'fake-model', args: [join(here, 'fake-model.ts')], home })
  const target = { ...model, name: 'direct' as const, ...openAiExchanges() }
  await waitUntil(() => answersRight(target), 'the fake model')
  return target
}

export async function startBare({ home, modelPort }: Bench): Promise<Target> {
  const env = { MODEL_PORT: String(modelPort), API_KEY: 'bench' }
  const probed = probe(home, 'bare')
  const proxy = await startProcess({ name: 'bare', args: [join(here, 'bare-proxy.ts')], env: { ...env, ...probed.env }, home })
  return { ...proxy, name: 'bare', loopFile: probed.loopFile, ...openAiExchanges('bench') }
}

export type Seed = { dataDir: string; apiKey: string }

/** Makes the data every round begins with: one published bot and one key. */
export async function seedOurs(bench: Bench, dataDir = join(bench.home, 'seed')): Promise<Seed> {
  const server = await startServe(bench, { name: 'seed', dataDir })
  await applyManifest(bench, dataDir)
  const apiKey = parseCreatedKey(await runCommand(bench, dataDir, ['keys', 'create', '--email', owner, '--name', 'bench', '--json']))
  await server.stop()
  return { dataDir, apiKey }
}

/** The bot, and where its model is now. */
export async function applyManifest(bench: Bench, dataDir: string): Promise<void> {
  const manifest = join(bench.home, 'bench.yaml')
  writeFileSync(manifest, JSON.stringify(manifestFor(bench.modelPort)))
  await runCommand(bench, dataDir, ['apply', '-f', manifest])
}

async function runCommand(bench: Bench, dataDir: string, args: string[]): Promise<string> {
  const env = { ...baseEnv(bench.home), ...oursEnv(bench, dataDir) }
  return (await promisify(execFile)(process.execPath, [cli, ...args], { env })).stdout
}

/** Our server on a folder of data, as soon as it answers. */
export async function startServe(bench: Bench, { name, dataDir }: { name: string; dataDir: string }): Promise<BenchProcess> {
  const server = await startProcess({ name, args: [cli, 'serve'], env: oursEnv(bench, dataDir), home: bench.home })
  await waitUntil(
    () =>
      fetch(`http://127.0.0.1:${server.port}/`).then(
        () => true,
        () => false,
      ),
    'our server',
  )
  return server
}

export async function startOurs(bench: Bench, seed: Seed): Promise<Target> {
  const { home, cpuProfDir } = bench
  const dataDir = join(home, `data-${Date.now()}`)
  mkdirSync(dataDir)
  cpSync(seed.dataDir, dataDir, { recursive: true })
  const probed = probe(home, 'ours')
  const profiling = cpuProfDir ? ['--cpu-prof', `--cpu-prof-dir=${resolve(cpuProfDir)}`] : []
  const env = { ...oursEnv(bench, dataDir), ...probed.env }
  const server = await startProcess({ name: 'ours', args: [...profiling, cli, 'serve'], env, home })
  return { ...server, name: 'ours', loopFile: probed.loopFile, ...cozeExchanges(seed.apiKey) }
}

export async function answersRight({ port, whole }: Pick<Target, 'port' | 'whole'>): Promise<boolean> {
  const { ok } = await generateLoad({ port, exchange: whole, concurrency: 1, seconds: 0, timeoutMs: 5000 })
  return ok === 1
}

const owner = 'admin@example.com'

const manifestFor = (modelPort: number) => ({
  models: [{ name: 'bench', protocol: 'openai', base_url: `http://127.0.0.1:${modelPort}/v1`, api_key: 'bench', model: 'bench' }],
  bots: [{ id: 123456, owner, name: 'bench', prompt: 'You are a helpful assistant.', model: 'bench', publish: { version: 'bench' } }],
})

/** All that our server is told, but for the port. */
export const oursEnv = ({ modelPort, env }: Bench, dataDir: string): Record<string, string> => ({
  DATA_DIR: dataDir,
  LOG_LEVEL: 'info',
  OPENAI_API_KEY: 'bench',
  OPENAI_BASE_URL: `http://127.0.0.1:${modelPort}/v1`,
  OPENAI_MODEL: 'bench',
  DRAIN_SECONDS: '1',
  ...env,
})

function probe(home: string, name: TargetName) {
  const loopFile = join(home, `${name}.loop`)
  return { loopFile, env: { BENCH_LOOP_FILE: loopFile, NODE_OPTIONS: `--import=${join(here, 'loop-probe.ts')}` } }
}

type Exchanges = Pick<Target, 'whole' | 'stream' | 'read'>

function openAiExchanges(apiKey?: string): Exchanges {
  const headers = bearer(apiKey)
  const ask = (stream: boolean) => {
    const body = { model: 'bench', stream, messages: [{ role: 'user', content: question }] }
    return formatRequest({ method: 'POST', path: '/v1/chat/completions', headers, body })
  }
  return {
    whole: { request: ask(false), judge: () => judgeWhole((body) => isStamped(parseOpenAi(body)?.message?.content)) },
    stream: (chunks) => ({ request: ask(true), judge: () => judgeStream(chunks, (_event, data) => parseOpenAi(data)?.delta?.content) }),
    read: { request: formatRequest({ path: '/v1/models', headers }), judge: () => judgeWhole((body) => body.includes('bench')) },
  }
}

/** The guide's way to chat: a body with `query`, the answer flat in `message`. */
function cozeExchanges(apiKey: string): Exchanges {
  const headers = bearer(apiKey)
  const ask = (stream: boolean) =>
    formatRequest({ method: 'POST', path: '/v3/chat', headers, body: { bot_id: '123456', user_id: 'bench', query: question, stream } })
  const textOf = (event: string, data: string) => (event === 'conversation.message.delta' ? parseCoze(data).content : undefined)
  return {
    whole: { request: ask(false), judge: () => judgeWhole((body) => isStamped(parseCoze(body).message?.content)) },
    stream: (chunks) => ({ request: ask(true), judge: () => judgeStream(chunks, textOf) }),
    read: { request: formatRequest({ path: '/v1/bots/123456', headers }), judge: () => judgeWhole((body) => body.includes('123456')) },
  }
}

const bearer = (apiKey: string | undefined): Record<string, string> => (apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` })

function isStamped(text = ''): boolean {
  const stamps = createStampReader()
  stamps.read(text)
  return stamps.delays.length === 1 && stamps.fault === undefined
}

type Text = { content?: string }

function parseOpenAi(json: string) {
  return (JSON.parse(json) as { choices: { message?: Text; delta?: Text }[] }).choices[0]
}

function parseCoze(json: string) {
  return JSON.parse(json) as Text & { message?: Text }
}

function parseCreatedKey(json: string) {
  return (JSON.parse(json) as { api_key: string }).api_key
}
