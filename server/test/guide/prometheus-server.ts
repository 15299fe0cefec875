import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { startProgram } from '../support/child-program.ts'
import type { ChildProgram } from '../support/child-program.ts'
import { requireProgram } from '../support/find-program.ts'
import { freePort } from '../support/free-port.ts'

export type PrometheusServer = AsyncDisposable & {
  /** What a PromQL query answers now. */
  query(promql: string): Promise<Sample[]>
}

export type Sample = { labels: Record<string, string>; value: number }

/** A Prometheus of one's own that reads `/metrics` of this port every second. */
export async function startPrometheus(targetPort: number): Promise<PrometheusServer> {
  await using started = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-prometheus-'))
  started.defer(() => rm(dir, { recursive: true, force: true }))
  const configPath = join(dir, 'prometheus.yml')
  await writeFile(configPath, config(targetPort))

  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const places = [`--config.file=${configPath}`, `--storage.tsdb.path=${join(dir, 'data')}`, `--web.listen-address=127.0.0.1:${port}`]
  const prometheus = started.use(startProgram(requireProgram('prometheus'), [...places, '--log.level=warn']))
  await untilReady(`${url}/-/ready`, prometheus)
  const all = started.move()
  return { query: (promql) => ask(url, promql), [Symbol.asyncDispose]: () => all.disposeAsync() }
}

const config = (targetPort: number) => `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: coze-plus
    static_configs: [{ targets: ['127.0.0.1:${targetPort}'] }]
`

async function ask(url: string, promql: string): Promise<Sample[]> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(promql)}`)
  const { status, data, error } = (await response.json()) as QueryAnswer
  if (status !== 'success') throw new Error(`Prometheus refuses ${promql}: ${error}`)
  return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }))
}

type QueryAnswer = { status: string; error?: string; data: { result: { metric: Record<string, string>; value: [number, string] }[] } }

async function untilReady(url: string, prometheus: ChildProgram): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false,
    )
    if (isReady) return
    await setTimeout(100)
  }
  throw new Error(`Prometheus does not get ready:\n${prometheus.printed().stderr}`)
}
