import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { NodeRecord } from '../../workflows/engine/progress.ts'
import type { HistoryRequest } from '../../workflows/runs/workflow-runs.ts'
import type { WorkflowRun } from '../../workflows/runs/workflow-run.ts'
import { success, successSchema } from '../success-reply.ts'
import { idField, optionalIdField, pageNumberField, pageSizeField } from './open-fields.ts'
import { runAddressSchema } from './open-workflow-runs.ts'
import { historySchema, nodeRunSchema, nodeStatusSchema, toHistory, toNodeRun, toNodeStatuses } from './workflow-wire.ts'

type RunAddress = { runId: string; workflowId: string }

export type WorkflowHistoryServices = {
  getRun(who: Principal, address: RunAddress): Promise<WorkflowRun>
  listRuns(who: Principal, request: HistoryRequest): Promise<{ runs: WorkflowRun[]; hasMore: boolean }>
  listNodes(who: Principal, request: RunAddress & { page: number; size: number }): Promise<{ nodes: NodeRecord[]; hasMore: boolean }>
  getNode(who: Principal, request: RunAddress & { nodeRunId: string }): Promise<NodeRecord>
  publicUrl: string
}

const tags = ['Workflows']
const PAGE = { page_num: pageNumberField, page_size: pageSizeField(100, 20) }
/** Of a run's history: more nodes are listed by their own route. */
const SHOWN_NODES = 200

const listedSchema = historySchema
const singleSchema = historySchema.extend({ node_execute_status: z.record(z.string(), nodeStatusSchema) })
const nodeAddressSchema = runAddressSchema.extend({ node_execute_uuid: z.string().max(100) })

const toAddress = ({ workflow_id: workflowId, execute_id: runId }: z.infer<typeof runAddressSchema>): RunAddress => ({ workflowId, runId })

export const workflowHistoryRoutes =
  (services: WorkflowHistoryServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(runRoutes(services))
    await http.register(nodeRoutes(services))
  }

const runRoutes =
  (services: WorkflowHistoryServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/workflow/get_run_history',
      {
        config: { auth: 'key', action: ['workflows', 'read'] },
        schema: {
          tags,
          summary: 'List the runs of a workflow, newest first, or read one of them',
          querystring: z.object({ workflow_id: idField, execute_id: optionalIdField, ...PAGE }),
          response: { 200: successSchema(z.array(listedSchema), { has_more: z.boolean() }) },
        },
      },
      async (request) => {
        const { workflow_id: workflowId, execute_id: runId, page_num: page, page_size: size } = request.query
        const { runs, hasMore } =
          runId === undefined
            ? await services.listRuns(request.principal, { workflowId, page, size })
            : { runs: [await services.getRun(request.principal, { workflowId, runId })], hasMore: false }
        return success(
          request,
          runs.map((run) => toHistory(run, services.publicUrl)),
          { has_more: hasMore },
        )
      },
    )

    http.get(
      '/v1/workflows/:workflow_id/run_histories/:execute_id',
      {
        config: { auth: 'key', action: ['workflows', 'read'] },
        schema: {
          tags,
          summary: 'Read a run',
          description: 'As a list of one, which is how the Coze SDKs read it; a canceled run is a `Fail` for them.',
          params: runAddressSchema,
          response: { 200: successSchema(z.array(singleSchema)) },
        },
      },
      async (request) => {
        const address = toAddress(request.params)
        const [run, { nodes }] = await Promise.all([
          services.getRun(request.principal, address),
          services.listNodes(request.principal, { ...address, page: 1, size: SHOWN_NODES }),
        ])
        const history = toHistory(run, services.publicUrl)
        const status = history.execute_status === 'Cancel' ? 'Fail' : history.execute_status
        return success(request, [{ ...history, execute_status: status, node_execute_status: toNodeStatuses(nodes) }])
      },
    )
  }

const nodeRoutes =
  (services: WorkflowHistoryServices): FastifyPluginAsyncZod =>
  async (http) => {
    const path = '/v1/workflows/:workflow_id/run_histories/:execute_id/execute_nodes'
    http.get(
      path,
      {
        config: { auth: 'key', action: ['workflows', 'read'] },
        schema: {
          tags,
          summary: 'List what the nodes of a run did, in the order in which they began',
          description: 'Passes of loops, called workflows and the nodes inside of them too. Kept for 30 days after the run began.',
          params: runAddressSchema,
          querystring: z.object(PAGE),
          response: { 200: successSchema(z.array(nodeRunSchema), { has_more: z.boolean() }) },
        },
      },
      async (request) => {
        const { page_num: page, page_size: size } = request.query
        const { nodes, hasMore } = await services.listNodes(request.principal, { ...toAddress(request.params), page, size })
        return success(request, nodes.map(toNodeRun), { has_more: hasMore })
      },
    )

    http.get(
      `${path}/:node_execute_uuid`,
      {
        config: { auth: 'key', action: ['workflows', 'read'] },
        schema: {
          tags,
          summary: 'Read what one node of a run did',
          params: nodeAddressSchema,
          response: { 200: successSchema(nodeRunSchema) },
        },
      },
      async (request) => {
        const { node_execute_uuid: nodeRunId } = request.params
        return success(request, toNodeRun(await services.getNode(request.principal, { ...toAddress(request.params), nodeRunId })))
      },
    )
  }
