import { leastChars } from '../values/value-size.ts'
import type { Value, ValueObject } from '../values/value.ts'
import { assertStorable } from './assert-storable.ts'
import type { GraphNode } from './graph.ts'
import { NodeError } from './node-error.ts'
import type { NodeRun, TokenUsage } from './node-type.ts'
import type { NodeRecord } from './progress.ts'
import type { RunEnvironment } from './run-environment.ts'
import type { WaitingEvent } from './waiting-event.ts'

/** Keeps the record of one node up to date while it runs. */
export type NodeRecorder = Pick<NodeRun, 'say' | 'warn' | 'save'> & {
  /** Of a node that has begun before: it goes on with the inputs it had. */
  readonly keptInputs: ValueObject | undefined
  readonly saved: Value | undefined
  readonly answer: string | undefined
  begin(inputs: ValueObject): void
  attempt(): void
  addUsage(usage: TokenUsage): void
  createEvent(type: number, data: string): WaitingEvent
  wait(events: WaitingEvent[]): void
  finish(outputs: ValueObject, port: string, error?: NodeError): void
  fail(cause: unknown): void
}

export function createRecord(node: GraphNode, path: string, { clock, nextOrdinal }: RunEnvironment): NodeRecord {
  return {
    path,
    ordinal: nextOrdinal(),
    nodeId: node.id,
    nodeType: node.type.code,
    title: node.title,
    state: 'running',
    inputs: {},
    outputs: {},
    port: '',
    events: [],
    usage: { inputTokens: 0, outputTokens: 0 },
    attempts: 0,
    warnings: [],
    startedAt: clock(),
    finishedAt: 0,
  }
}

const MAX_WARNINGS = 50
const WARNING_CHARS = 1_000

export function nodeRecorder(env: RunEnvironment, before: NodeRecord): NodeRecorder {
  let record = before
  const change = (changes: Partial<NodeRecord>) => {
    record = { ...record, ...changes }
    env.progress.put(record)
  }
  const { nodeId, path, title } = before
  const assertKept = (value: Value, what: string) => assertStorable(value, `what the node ${title} ${what}`)
  const asked = before.events.find((event) => event.id === env.resume?.eventId && event.path === path)
  const hasBegun = before.state === 'waiting' || before.saved !== undefined

  return {
    keptInputs: hasBegun ? before.inputs : undefined,
    get saved() {
      return record.saved
    },
    answer: asked && env.resume?.data,
    begin: (inputs) => change({ inputs, state: 'running' }),
    attempt: () => (record = { ...record, attempts: record.attempts + 1 }),
    addUsage({ inputTokens, outputTokens }) {
      const { usage } = record
      change({ usage: { inputTokens: usage.inputTokens + inputTokens, outputTokens: usage.outputTokens + outputTokens } })
    },
    say(text, { isLast }) {
      assertKept(text, 'says')
      env.onMessage({ nodeId, nodeType: record.nodeType, title, path, content: text, isLast })
    },
    warn(message) {
      if (record.warnings.length < MAX_WARNINGS) record = { ...record, warnings: [...record.warnings, message.slice(0, WARNING_CHARS)] }
    },
    save(saved) {
      assertKept([saved, record.inputs], 'works on and keeps meanwhile')
      // what it waited for is answered, or is waited for again
      change({ saved, events: [], state: 'running' })
    },
    createEvent: (type, data) => ({ id: env.nextId(), nodeId, nodeType: record.nodeType, nodeTitle: title, type, data, path }),
    wait(events) {
      assertKept([...events, record.inputs], 'works on and asks')
      change({ events, state: 'waiting' })
    },
    finish(outputs, port, error) {
      assertKept(outputs, 'gives')
      env.budget.keep(leastChars(outputs))
      change({
        outputs,
        port,
        error: error && { code: error.code, message: error.message },
        state: 'done',
        saved: undefined,
        events: [],
        finishedAt: env.clock(),
      })
    },
    fail(cause) {
      // a run that is stopped from outside goes on with this node when it goes on at all
      if (!(cause instanceof NodeError)) return
      change({ state: 'failed', error: { code: cause.code, message: cause.message }, finishedAt: env.clock() })
    },
  }
}
