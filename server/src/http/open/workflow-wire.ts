import { z } from 'zod'
import { nodeErrors } from '../../workflows/engine/node-error.ts'
import type { NodeRecord } from '../../workflows/engine/progress.ts'
import type { WaitingEvent } from '../../workflows/engine/waiting-event.ts'
import type { TokenUsage } from '../../workflows/engine/node-type.ts'
import { nodeTypes } from '../../workflows/nodes/node-registry.ts'
import { toNodeRunId } from '../../workflows/runs/workflow-runs.ts'
import type { WorkflowRun, WorkflowRunError } from '../../workflows/runs/workflow-run.ts'
import { storeValue } from '../../workflows/values/value.ts'
import { toSeconds } from './open-fields.ts'

/** Runs of workflows as the wire has them. Ids are strings, times are seconds, inputs and outputs are JSON texts. */
export const usageSchema = z.object({ token_count: z.number(), input_count: z.number(), output_count: z.number() })
export const interruptSchema = z.object({
  event_id: z.string().describe('For /v1/workflow/stream_resume.'),
  type: z.number().describe('2: a question, 5: an input form.'),
  data: z.string().describe('JSON: what is asked.'),
})

export function toUsage({ inputTokens, outputTokens }: TokenUsage): z.infer<typeof usageSchema> {
  return { token_count: inputTokens + outputTokens, input_count: inputTokens, output_count: outputTokens }
}

/** The page of the console that shows the run. */
export const debugUrlOf = (publicUrl: string, { workflowId, id }: Pick<WorkflowRun, 'workflowId' | 'id'>): string =>
  `${publicUrl}/workflows/${workflowId}/runs/${id}`

export function toInterrupt(runId: string, { id, type, data }: WaitingEvent): z.infer<typeof interruptSchema> {
  return { event_id: `${runId}/${id}`, type, data }
}

export const canceledError: WorkflowRunError = { code: nodeErrors.canceled, message: 'Workflow execution canceled by user' }

/** Why a run that is over has no result. */
export const errorOf = ({ status, error }: WorkflowRun): WorkflowRunError | undefined => (status === 'canceled' ? canceledError : error)

const publicCodes: ReadonlyMap<number, number> = new Map([
  [nodeErrors.notPublished, 6031],
  [nodeErrors.invalidParameter, 4000],
  [nodeErrors.missingParameter, 4000],
  [nodeErrors.templateIndex, 4000],
  [nodeErrors.interruptNotSupported, 6039],
  [nodeErrors.workflowTimeout, 6023],
])

/** The numbers that Coze shows outside of streams. */
export const toPublicCode = (code: number): number => publicCodes.get(code) ?? code

export const historySchema = z.object({
  execute_id: z.string(),
  execute_status: z.enum(['Success', 'Running', 'Fail', 'Cancel']).describe('A run that waits for an answer is Running.'),
  workflow_id: z.string(),
  workflow_version: z.string(),
  bot_id: z.string().describe('"0" where there is none.'),
  app_id: z.string(),
  connector_id: z.string(),
  connector_uid: z.string().describe('The end user.'),
  run_mode: z.number().describe('0 whole, 1 streamed, 2 asynchronous'),
  logid: z.string(),
  log_id: z.string(),
  create_time: z.number(),
  update_time: z.number(),
  debug_url: z.string(),
  input: z.string(),
  output: z.string(),
  token: z.string(),
  cost: z.string(),
  usage: usageSchema,
  error_code: z.string(),
  error_message: z.string(),
  error_msg: z.string(),
  is_output_trimmed: z.boolean(),
  interrupt_data: interruptSchema.optional().describe('What the run waits for.'),
})

export type WireHistory = z.infer<typeof historySchema>

/** The union of what Coze Studio and hosted Coze say of a run. */
export function toHistory(run: WorkflowRun, publicUrl: string): WireHistory {
  const error = errorOf(run)
  const [event] = run.waiting
  const { token_count: tokens } = toUsage(run.usage)
  return {
    ...{ execute_id: run.id, execute_status: STATUSES[run.status], workflow_id: run.workflowId, workflow_version: run.version },
    ...{ bot_id: run.botId ?? '0', app_id: run.appId ?? '0', connector_id: run.connectorId, connector_uid: run.endUser },
    ...{ run_mode: MODES.indexOf(run.mode), logid: run.logId, log_id: run.logId, debug_url: debugUrlOf(publicUrl, run) },
    ...{ create_time: toSeconds(run.createdAt), update_time: toSeconds(run.updatedAt) },
    ...{ input: storeValue(run.parameters), output: run.output, is_output_trimmed: false },
    ...{ token: String(tokens), cost: '0', usage: toUsage(run.usage) },
    ...{ error_code: error ? String(toPublicCode(error.code)) : '', error_message: error?.message ?? '', error_msg: error?.message ?? '' },
    ...(event && { interrupt_data: toInterrupt(run.id, event) }),
  }
}

const STATUSES = {
  queued: 'Running',
  running: 'Running',
  waiting: 'Running',
  succeeded: 'Success',
  failed: 'Fail',
  canceled: 'Cancel',
} as const
const MODES = ['sync', 'stream', 'async']

export const nodeRunSchema = z.object({
  node_execute_uuid: z.string(),
  path: z.string().describe('Where in the run: 192046#2/131543 is the node 131543 in the third pass of the loop 192046.'),
  node_id: z.string(),
  node_type: z.string().describe('Empty for a pass of a loop or batch.'),
  node_title: z.string(),
  status: z.enum(['running', 'waiting', 'done', 'failed']),
  is_finish: z.boolean(),
  input: z.string(),
  output: z.string(),
  node_output: z.string().describe('The same as output.'),
  port: z.string().describe('The way on that it has chosen; empty where there is no choice.'),
  token: z.string(),
  usage: usageSchema,
  attempts: z.number(),
  error_code: z.string(),
  error_message: z.string(),
  warnings: z.array(z.string()),
  create_time: z.number(),
  update_time: z.number(),
  duration_ms: z.number(),
})

export type WireNodeRun = z.infer<typeof nodeRunSchema>

export function toNodeRun(node: NodeRecord): WireNodeRun {
  const usage = toUsage(node.usage)
  const output = storeValue(node.outputs)
  const end = node.finishedAt === 0 ? node.startedAt : node.finishedAt
  return {
    ...{ node_execute_uuid: toNodeRunId(node.path), path: node.path, node_id: node.nodeId, node_title: node.title },
    ...{ node_type: nodeTypeName(node.nodeType), status: node.state, is_finish: isFinished(node) },
    ...{ input: storeValue(node.inputs), output, node_output: output, port: node.port },
    ...{ token: String(usage.token_count), usage, attempts: node.attempts, warnings: node.warnings },
    ...{ error_code: node.error ? String(node.error.code) : '', error_message: node.error?.message ?? '' },
    ...{ create_time: toSeconds(node.startedAt), update_time: toSeconds(end), duration_ms: end - node.startedAt },
  }
}

const isFinished = ({ state }: NodeRecord) => state === 'done' || state === 'failed'

export const nodeStatusSchema = z.object({
  node_id: z.string(),
  node_execute_uuid: z.string(),
  is_finish: z.boolean(),
  update_time: z.number(),
})

/** The short form that run histories have, by the node's path. */
export function toNodeStatuses(nodes: NodeRecord[]): Record<string, z.infer<typeof nodeStatusSchema>> {
  return Object.fromEntries(nodes.map((node) => [node.path, toNodeStatus(node)]))
}

function toNodeStatus(node: NodeRecord): z.infer<typeof nodeStatusSchema> {
  const { nodeId, path, startedAt, finishedAt } = node
  const updatedAt = toSeconds(finishedAt === 0 ? startedAt : finishedAt)
  return { node_id: nodeId, node_execute_uuid: toNodeRunId(path), is_finish: isFinished(node), update_time: updatedAt }
}

/** The name that events call a node's type by, such as `Text`. */
export const nodeTypeName = (code: string): string => nodeTypes.get(code)?.name ?? ''
