import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { StartedWorkflowRun, WorkflowRunRequest } from '../../workflows/runs/start-workflow-run.ts'
import type { ResumeRequest, ResumedWorkflowRun } from '../../workflows/runs/workflow-runs.ts'
import type { WorkflowRun } from '../../workflows/runs/workflow-run.ts'
import { toIdempotencyKey } from '../idempotency-key.ts'
import { success, successSchema } from '../success-reply.ts'
import { answerInTime, parsePrefer } from './chat-reply.ts'
import { sendChatflow } from './chatflow-reply.ts'
import { booleanField, idField } from './open-fields.ts'
import { resumeBodySchema, runBodySchema, streamRunBodySchema, toRunRequest } from './workflow-body.ts'
import { replyWithStarted, runReplySchema, sendWorkflow, toRunReply, toStartedReply } from './workflow-reply.ts'
import type { StreamingServices } from './workflow-reply.ts'
import { historySchema, toHistory } from './workflow-wire.ts'

export type WorkflowRunServices = StreamingServices & {
  startRun(who: Principal, request: WorkflowRunRequest): Promise<StartedWorkflowRun>
  resumeRun(who: Principal, request: ResumeRequest): Promise<ResumedWorkflowRun>
  cancelRun(who: Principal, address: { runId: string; workflowId: string }): Promise<WorkflowRun>
  getRun(who: Principal, address: { runId: string; workflowId: string }): Promise<WorkflowRun>
}

const tags = ['Workflows']
export const runAddressSchema = z.object({ workflow_id: idField, execute_id: idField })

const CURSOR_RULE = 'must be the id of the last event you have'
const cursorField = z.coerce.number(CURSOR_RULE).int(CURSOR_RULE).min(0, CURSOR_RULE).max(Number.MAX_SAFE_INTEGER, CURSOR_RULE)

export const workflowRunRoutes =
  (services: WorkflowRunServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(wholeRunRoute(services))
    await http.register(streamedRunRoute(services))
    await http.register(resumingRoutes(services))
    await http.register(followingRoute(services))
  }

const wholeRunRoute =
  (services: WorkflowRunServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/workflow/run',
      {
        config: { auth: 'key', action: 'workflows' },
        schema: {
          tags,
          summary: 'Run a published workflow',
          description:
            'The reply is the result, or with `is_async` the `execute_id` alone. A run that fails is answered with HTTP 200 and its `code`, like Coze does it; parameters that do not fit are HTTP 400 and code 4000. `Idempotency-Key` makes a retry safe; `Prefer: wait=10, respond-async` asks for the result in time or a way to it.',
          body: runBodySchema,
          response: { 200: runReplySchema },
        },
      },
      async (request, reply) => {
        const { body, principal, id: logId } = request
        const mode = body.is_async === true ? 'async' : 'sync'
        const prefer = parsePrefer(request.headers.prefer)
        const idempotency = toIdempotencyKey(request, body)
        const started = await services.startRun(principal, { ...toRunRequest(body, logId), mode, idempotency, isStrict: true })
        const { publicUrl } = services
        if (mode === 'async') return toStartedReply(request, started.run, publicUrl)

        const finished = await answerInTime(started, prefer)
        if (finished) return toRunReply(request, finished, publicUrl)
        return replyWithStarted(request, reply, { run: started.run, publicUrl })
      },
    )
  }

const streamedRunRoute =
  (services: WorkflowRunServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/workflow/stream_run',
      {
        config: { auth: 'key', action: 'workflows' },
        schema: {
          tags,
          summary: 'Run a published workflow and read what it says as it comes',
          description:
            'Server-Sent Events: `Message`, and at the end `Done`, `Error` or `Interrupt`. A stream that was cut goes on with GET /v1/workflow/stream. `Idempotency-Key` makes a retry safe.',
          body: streamRunBodySchema,
        },
      },
      async (request, reply) => {
        const { body, principal, id: logId } = request
        const idempotency = toIdempotencyKey(request, body)
        const wanted = { ...toRunRequest(body, logId), mode: 'stream', idempotency, isStrict: true } as const
        const { run } = await services.startRun(principal, wanted)
        return sendWorkflow(services, reply, { run, cursor: 0, numberedFrom: 0 })
      },
    )
  }

const resumingRoutes =
  (services: WorkflowRunServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/workflow/stream_resume',
      {
        config: { auth: 'key', action: 'workflows' },
        schema: {
          tags,
          summary: 'Answer what a run waits for, and read on',
          description:
            'The events of the run from then on, numbered from 0. Of several answers to one event the first counts, the others get HTTP 409. `Idempotency-Key` makes a retry safe.',
          querystring: z.object({
            event_ids: booleanField
              .optional()
              .describe('true: events keep the ids that they have in the whole run, which GET /v1/workflow/stream takes.'),
          }),
          body: resumeBodySchema,
        },
      },
      async (request, reply) => {
        const { workflow_id: workflowId, event_id: eventId, resume_data: data } = request.body
        const idempotency = toIdempotencyKey(request, request.body)
        const { run, cursor } = await services.resumeRun(request.principal, { workflowId, eventId, data, idempotency })
        return sendWorkflow(services, reply, { run, cursor, numberedFrom: request.query.event_ids ? 0 : cursor })
      },
    )

    http.post(
      '/v1/workflow/cancel',
      {
        config: { auth: 'key', action: 'workflows' },
        schema: {
          tags,
          summary: 'Cancel a run that is going on or waits',
          body: runAddressSchema,
          response: { 200: successSchema(historySchema) },
        },
      },
      async (request) => {
        const { workflow_id: workflowId, execute_id: runId } = request.body
        return success(request, toHistory(await services.cancelRun(request.principal, { workflowId, runId }), services.publicUrl))
      },
    )
  }

const followingRoute =
  (services: WorkflowRunServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/workflow/stream',
      {
        config: { auth: 'key', action: ['workflows', 'read'] },
        schema: {
          tags,
          summary: 'Follow a run, from any of its events on',
          description:
            'Every event after the one with the id `starting_after` (or the header `Last-Event-ID`) once and in order, then live ones until the run ends or waits; without it all events. Ids are those of the whole run: of stream_run, and of stream_resume and workflows/chat with `event_ids=true`. For 24 hours; later a run is told again from its result.',
          querystring: runAddressSchema.extend({
            starting_after: cursorField.optional(),
            event_ids: booleanField.optional().describe('false: no `id:` lines, for chats with a workflow.'),
          }),
        },
      },
      async (request, reply) => {
        const { workflow_id: workflowId, execute_id: runId, starting_after: given, event_ids: withIds = true } = request.query
        const last =
          given ??
          cursorField
            .optional()
            .catch(undefined)
            .parse(request.headers['last-event-id'] || undefined)
        const run = await services.getRun(request.principal, { workflowId, runId })
        if (!run.chat) return sendWorkflow(services, reply, { run, cursor: last === undefined ? 0 : last + 1, numberedFrom: 0 })

        const style = run.chat.style === 'guide' ? 'guide' : 'sdk'
        return sendChatflow(services, reply, { run, style, withIds, from: { frameId: last ?? 0 } })
      },
    )
  }
