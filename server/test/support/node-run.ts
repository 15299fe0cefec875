import type { CanvasNode } from '../../src/workflows/canvas/canvas-document.ts'
import type {
  NodeResult,
  NodeRun,
  NodeType,
  Pass,
  PassResult,
  TokenUsage,
  WorkflowCall,
  WorkflowResult,
} from '../../src/workflows/engine/node-type.ts'
import type { NodeServices } from '../../src/workflows/engine/node-services.ts'
import type { TextStream } from '../../src/workflows/engine/text-stream.ts'
import type { Field } from '../../src/workflows/values/value-type.ts'
import type { Value, ValueObject } from '../../src/workflows/values/value.ts'

export type NodeRunSettings = {
  inputs?: ValueObject
  outputs?: Field[]
  streams?: Record<string, TextStream>
  skipped?: string[]
  streaming?: boolean
  attempt?: number
  services?: Partial<NodeServices>
  signal?: AbortSignal
  saved?: Value
  answer?: string
  runBody?: (pass: Pass) => Promise<PassResult>
  callWorkflow?: (call: WorkflowCall) => Promise<WorkflowResult>
}

export type NodeRunReport = { said: { text: string; isLast: boolean }[]; warnings: string[]; usage: TokenUsage; saved: Value | undefined }

/** Parses a node and runs it alone, without the engine: inputs are given as they would arrive. */
export async function runNode<C>(
  type: NodeType<C>,
  canvasNode: Partial<CanvasNode>,
  settings: NodeRunSettings = {},
): Promise<{ result: NodeResult; report: NodeRunReport }> {
  const node = { id: '100', type: type.code, title: 'node', description: '', inputs: {}, outputs: [], blocks: [], edges: [], ...canvasNode }
  const plan = type.parse(node)
  const { run, report } = createNodeRun({ id: node.id, title: node.title, outputs: settings.outputs ?? plan.outputs ?? [] }, settings)
  return { result: await type.run({ ...run, config: plan.config }), report }
}

function createNodeRun(node: NodeRun['node'], settings: NodeRunSettings): { run: NodeRun; report: NodeRunReport } {
  const report: NodeRunReport = { said: [], warnings: [], usage: { inputTokens: 0, outputTokens: 0 }, saved: settings.saved }
  let events = 0
  const run: NodeRun = {
    node,
    config: undefined,
    inputs: settings.inputs ?? {},
    streams: settings.streams ?? {},
    isSkipped: (input) => settings.skipped?.includes(input) ?? false,
    streaming: settings.streaming ?? false,
    attempt: settings.attempt ?? 0,
    signal: settings.signal ?? new AbortController().signal,
    services: parseServices(settings.services ?? {}),
    say: (text, { isLast }) => void report.said.push({ text, isLast }),
    addUsage(usage) {
      report.usage = {
        inputTokens: report.usage.inputTokens + usage.inputTokens,
        outputTokens: report.usage.outputTokens + usage.outputTokens,
      }
    },
    warn: (message) => void report.warnings.push(message),
    saved: settings.saved,
    save: (state) => void (report.saved = state),
    answer: settings.answer,
    createEvent: (type, data) => ({
      ...{ id: String(++events), nodeId: node.id, nodeType: '', nodeTitle: node.title, type, data, path: node.id },
    }),
    runBody: settings.runBody ?? (() => Promise.reject(new Error('this test gives the node no body'))),
    callWorkflow: settings.callWorkflow ?? (() => Promise.reject(new Error('this test gives the node no other workflow'))),
  }
  return { run, report }
}

/** A service that the test does not give is one that the node must not use. */
const parseServices = (given: Partial<NodeServices>): NodeServices => given as NodeServices
