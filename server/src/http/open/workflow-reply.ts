import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { JournalEntry } from '../../journal/journal-store.ts'
import { AppError } from '../../lib/app-error.ts'
import type { FollowWorkflowPosition } from '../../workflows/runs/follow-workflow-run.ts'
import type { WorkflowEvent } from '../../workflows/runs/workflow-event.ts'
import type { WorkflowRun } from '../../workflows/runs/workflow-run.ts'
import { errorBody } from '../error-reply.ts'
import type { SseStreams } from '../sse.ts'
import { createWorkflowFrames } from './workflow-frames.ts'
import type { WorkflowFrameOptions } from './workflow-frames.ts'
import { debugUrlOf, errorOf, interruptSchema, toInterrupt, toPublicCode, toUsage, usageSchema } from './workflow-wire.ts'

export type StreamingServices = {
  followRun(position: FollowWorkflowPosition): AsyncIterable<JournalEntry<WorkflowEvent>[]>
  streams: SseStreams
  publicUrl: string
}

export type WorkflowStreamOptions = Pick<WorkflowFrameOptions, 'numberedFrom'> & { run: WorkflowRun; cursor: number }

/** The events of a run after the cursor, until it ends or waits. */
export async function sendWorkflow(
  { followRun, streams, publicUrl }: StreamingServices,
  reply: FastifyReply,
  { run, cursor, numberedFrom }: WorkflowStreamOptions,
): Promise<void> {
  const toFrame = createWorkflowFrames(run, { debugUrl: debugUrlOf(publicUrl, run), numberedFrom })
  await streams.send(reply, async function* (signal) {
    for await (const entries of followRun({ runId: run.id, cursor, signal })) yield entries.map(toFrame)
  })
}

export const runReplySchema = z.object({
  code: z.number().describe('0, or why there is no result: a run that fails is answered with HTTP 200 too.'),
  msg: z.string(),
  data: z
    .string()
    .nullable()
    .describe('JSON: the results, or {"content_type":1,"data":"…","type_for_model":2} of a workflow that answers with a text.'),
  debug_url: z.string(),
  execute_id: z.string(),
  token: z.number(),
  cost: z.string(),
  usage: usageSchema,
  interrupt_data: interruptSchema.optional().describe('Code 6039: the run waits. Go on with /v1/workflow/stream_resume.'),
  location: z.string().optional(),
  stream_url: z.string().optional(),
  detail: z.object({ logid: z.string() }),
})

/** What Coze answers to a whole run, however it ended. */
export function toRunReply(request: FastifyRequest, run: WorkflowRun, publicUrl: string) {
  const body = { ...runFields(run, publicUrl), detail: { logid: request.id } }
  const refusal = (code: number, message: string) => ({ ...errorBody(toPublicCode(code), message, request.id), ...body })
  const error = errorOf(run)
  const [event] = run.waiting
  if (error) return refusal(error.code, error.message)
  if (event) return { ...refusal(INTERRUPTED, interruptedMessage(event.nodeTitle)), interrupt_data: toInterrupt(run.id, event) }
  if (run.status === 'succeeded') return { code: 0, msg: 'Success', ...body, data: run.output }
  throw new AppError('unavailable', 'the server is stopping: the run goes on soon, get_run_history tells its result', {
    details: { execute_id: run.id, debug_url: body.debug_url },
  })
}

const INTERRUPTED = 6039
const interruptedMessage = (title: string) =>
  `the workflow waits for an answer to ${JSON.stringify(title)}: give it with /v1/workflow/stream_resume, and use /v1/workflow/stream_run for workflows that ask`

/** The run goes on: here is where its result and its stream are. */
export function toStartedReply(request: FastifyRequest, run: WorkflowRun, publicUrl: string) {
  return { code: 0, msg: 'Success', ...runFields(run, publicUrl), ...waysTo(run), detail: { logid: request.id } }
}

/** The same with 202, for who asked for `respond-async` (RFC 7240). */
export function replyWithStarted(
  request: FastifyRequest,
  reply: FastifyReply,
  { run, publicUrl }: { run: WorkflowRun; publicUrl: string },
) {
  reply.code(202).header('location', waysTo(run).location).header('preference-applied', 'respond-async')
  return toStartedReply(request, run, publicUrl)
}

function runFields(run: WorkflowRun, publicUrl: string) {
  const usage = toUsage(run.usage)
  return { data: null, debug_url: debugUrlOf(publicUrl, run), execute_id: run.id, token: usage.token_count, cost: '0', usage }
}

export function waysTo({ workflowId, id }: WorkflowRun): { location: string; stream_url: string } {
  const query = `workflow_id=${workflowId}&execute_id=${id}`
  return { location: `/v1/workflow/get_run_history?${query}`, stream_url: `/v1/workflow/stream?${query}` }
}
