import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import { PREVIEW_CONNECTOR_ID } from '../../conversations/conversation-store.ts'
import { AppError } from '../../lib/app-error.ts'
import { findNodeRun, listNodeRunPage } from '../../workflows/runs/node-run-store.ts'
import { countNodeRuns, countRunSummaries, listRunSummaries } from '../../workflows/runs/run-history-store.ts'
import { startChatflowRun } from '../../workflows/runs/start-chatflow-run.ts'
import type { ChatflowDeps, StartedChatflow } from '../../workflows/runs/start-chatflow-run.ts'
import { startWorkflowRun } from '../../workflows/runs/start-workflow-run.ts'
import { cancelWorkflowRun, getWorkflowRun, resumeWorkflowRun } from '../../workflows/runs/workflow-runs.ts'
import type { ValueObject } from '../../workflows/values/value.ts'
import { DRAFT } from '../../workflows/workflow-catalog.ts'
import { getOwnWorkflow } from '../../workflows/workflows.ts'
import { idField } from '../open/open-fields.ts'
import type { SseStreams } from '../sse.ts'
import { success } from '../success-reply.ts'
import { cursorOf } from './preview-routes.ts'
import { toNodeRecord, toRun, toRunItem } from './workflow-run-view.ts'
import { sendRun } from './workflow-run-stream.ts'
import { answerSchema, runHistoryQuery, runStreamQuery, testRunSchema, traceNodeQuery, traceQuery } from './workflow-run-wire.ts'

export type WorkflowRunServices = ChatflowDeps & { streams: SseStreams }

/** Tries of drafts, and what all runs have done. */
export const workflowRunRoutes =
  (services: WorkflowRunServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(startingRoutes(services))
    await http.register(goingOnRoutes(services))
    await http.register(traceRoutes(services))
  }

const WORKFLOW = '/api/console/workflows/:id'
const RUN = '/api/console/workflow-runs/:id'
const params = z.object({ id: idField })
const config = { auth: 'session' } as const

const startingRoutes =
  (services: WorkflowRunServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      `${WORKFLOW}/test-runs`,
      { config: { ...config, audit: 'none' }, schema: { params, body: testRunSchema } },
      async (request) => {
        const testing = { workflowId: request.params.id, logId: request.id, ...request.body }
        const { run, cursor } = await startTest(services, request.principal, testing)
        return success(request, { ...toRun(run), cursor })
      },
    )

    http.get(`${WORKFLOW}/runs`, { config, schema: { params, querystring: runHistoryQuery } }, async (request) => {
      const { page, size, ...wanted } = request.query
      await getOwnWorkflow(services, request.principal, request.params.id)
      const filter = { ...wanted, workflowId: request.params.id, ownerId: request.principal.userId }
      const [runs, total] = await Promise.all([
        listRunSummaries(services.db, filter, { offset: (page - 1) * size, limit: size }),
        countRunSummaries(services.db, filter),
      ])
      return success(request, { items: runs.map(toRunItem), total })
    })
  }

type Testing = z.output<typeof testRunSchema> & { workflowId: string; logId: string }

async function startTest(services: WorkflowRunServices, who: Principal, testing: Testing): Promise<StartedChatflow> {
  const { workflowId, logId, parameters, only_node: onlyNode, message, conversation_id: conversationId, agent_id: botId } = testing
  const shared = {
    ...{ workflowId, logId, botId, version: DRAFT, parameters: parseObject(parameters) },
    ...{ endUser: '', connectorId: PREVIEW_CONNECTOR_ID },
  }
  if (message === undefined || onlyNode !== undefined)
    return { ...(await startWorkflowRun(services, who, { ...shared, onlyNode, mode: 'stream', isStrict: false })), cursor: 0 }

  const messages = [{ role: 'user', content: message, contentType: 'text' } as const]
  return startChatflowRun(services, who, { ...shared, conversationId, messages, savesHistory: true, style: 'sdk' })
}

/** What a JSON body has in it is nothing but values. */
const parseObject = (object: Record<string, unknown>): ValueObject => object as ValueObject

const goingOnRoutes =
  (services: WorkflowRunServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(RUN, { config, schema: { params } }, async (request) =>
      success(request, toRun(await getWorkflowRun(services, request.principal, { runId: request.params.id }))),
    )

    http.get(`${RUN}/stream`, { config, schema: { params, querystring: runStreamQuery } }, async (request, reply) => {
      const run = await getWorkflowRun(services, request.principal, { runId: request.params.id })
      // EventSource comes back with the last id that it has seen
      const cursor = cursorOf(request.headers['last-event-id']) ?? request.query.starting_after ?? 0
      return sendRun(services, reply, { runId: run.id, cursor })
    })

    http.post(`${RUN}/answer`, { config: { ...config, audit: 'none' }, schema: { params, body: answerSchema } }, async (request) => {
      const { event_id: eventId, data } = request.body
      const { id: runId, workflowId } = await getWorkflowRun(services, request.principal, { runId: request.params.id })
      if (!eventId.startsWith(`${runId}/`)) throw new AppError('not_found', 'this event is not of this run')
      const { run, cursor } = await resumeWorkflowRun(services, request.principal, { workflowId, eventId, data })
      return success(request, { ...toRun(run), cursor })
    })

    http.post(`${RUN}/cancel`, { config: { ...config, audit: 'none' }, schema: { params } }, async (request) =>
      success(request, toRun(await cancelWorkflowRun(services, request.principal, { runId: request.params.id }))),
    )
  }

const traceRoutes =
  (services: WorkflowRunServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(`${RUN}/nodes`, { config, schema: { params, querystring: traceQuery } }, async (request) => {
      const { page, size } = request.query
      const { id: runId } = await getWorkflowRun(services, request.principal, { runId: request.params.id })
      const [nodes, total] = await Promise.all([
        listNodeRunPage(services.db, { runId, limit: size, offset: (page - 1) * size }),
        countNodeRuns(services.db, runId),
      ])
      return success(request, { items: nodes.map((node) => toNodeRecord(node)), total })
    })

    http.get(`${RUN}/node`, { config, schema: { params, querystring: traceNodeQuery } }, async (request) => {
      const { id: runId } = await getWorkflowRun(services, request.principal, { runId: request.params.id })
      const { path } = request.query
      // the run's own records are no nodes
      const node = path.startsWith('$') ? undefined : await findNodeRun(services.db, runId, path)
      if (!node) throw new AppError('not_found', 'the run has no such execution of a node')
      return success(request, toNodeRecord(node, Infinity))
    })
  }
