import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

export type EndedRun = { status: string; inputTokens: number; outputTokens: number; seconds: number }

/** What an operator can see from outside. Keys appear by their id, never by their secret. */
export interface Metrics {
  httpRequest(request: { endpoint: string; method: string; status: number; keyId: string | undefined; seconds: number }): void
  runEnded(run: EndedRun): void
  workflowRunEnded(run: EndedRun): void
  /** The Prometheus text of all metrics. */
  render(): Promise<string>
  readonly contentType: string
}

export type Gauges = { liveRuns: () => number; liveWorkflowRuns: () => number; openStreams: () => number; redisUp: () => number }

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'HTTP requests by route, status and API key id',
    labelNames: ['endpoint', 'method', 'status', 'api_key_id'] as const,
    registers,
  })
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request to the end of its answer; for streams to the last event',
    labelNames: ['endpoint', 'method'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers,
  })
  const nameOf = createKeyNames()
  const countChat = countRuns({ of: 'chat', title: 'Chat runs' }, registers)
  const countWorkflow = countRuns({ of: 'workflow', title: 'Workflow runs' }, registers)
  const tokens = new Counter({
    name: 'model_tokens_total',
    help: 'Tokens as the models counted them',
    labelNames: ['direction'] as const,
    registers,
  })
  const countTokens = ({ inputTokens, outputTokens }: EndedRun) => {
    tokens.inc({ direction: 'input' }, inputTokens)
    tokens.inc({ direction: 'output' }, outputTokens)
  }
  gaugeOf({ name: 'chat_runs_live', help: 'Chat runs that this process executes now' }, gauges.liveRuns, registers)
  gaugeOf({ name: 'workflow_runs_live', help: 'Workflow runs that this process executes now' }, gauges.liveWorkflowRuns, registers)
  gaugeOf({ name: 'redis_up', help: '1 while this process reaches Redis; 0 as well where there is none' }, gauges.redisUp, registers)
  gaugeOf({ name: 'sse_streams_open', help: 'Clients that follow a stream now' }, gauges.openStreams, registers)

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    httpRequest({ endpoint, method, status, keyId, seconds }) {
      requests.inc({ endpoint, method, status, api_key_id: keyId === undefined ? '' : nameOf(keyId) })
      durations.observe({ endpoint, method }, seconds)
    },
    runEnded: (run) => {
      countChat(run)
      countTokens(run)
    },
    workflowRunEnded: (run) => {
      countWorkflow(run)
      countTokens(run)
    },
  }
}

/** Each value of a label is kept for as long as the process lives: keys beyond so many go by one name. */
const KEYS_NAMED = 1_000

function createKeyNames(): (keyId: string) => string {
  const named = new Set<string>()
  return (keyId) => {
    if (named.size < KEYS_NAMED) named.add(keyId)
    return named.has(keyId) ? keyId : 'other'
  }
}

function countRuns({ of, title }: { of: string; title: string }, registers: Registry[]): (run: EndedRun) => void {
  const runs = new Counter({
    name: `${of}_runs_total`,
    help: `${title} by the status they ended with`,
    labelNames: ['status'] as const,
    registers,
  })
  const durations = new Histogram({
    name: `${of}_run_duration_seconds`,
    help: `Time a ${of} run took`,
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
    registers,
  })
  return ({ status, seconds }) => {
    runs.inc({ status })
    durations.observe(seconds)
  }
}

function gaugeOf(description: { name: string; help: string }, read: () => number, registers: Registry[]): void {
  new Gauge({
    ...description,
    registers,
    collect() {
      this.set(read())
    },
  })
}
