import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import { assertOwnWorkspace } from '../../accounts/workspaces.ts'
import type { ListedVersion, ListedWorkflow, Workflow } from '../../workflows/workflow-record.ts'
import type { Page } from '../../workflows/workflows.ts'
import type { WorkflowFilter } from '../../workflows/workflow-store.ts'
import { success, successSchema } from '../success-reply.ts'
import { idField, optionalIdField, pageNumberField, pageSizeField } from './open-fields.ts'
import { workflowChatRoutes } from './open-workflow-chat.ts'
import type { WorkflowChatServices } from './open-workflow-chat.ts'
import { workflowHistoryRoutes } from './open-workflow-history.ts'
import type { WorkflowHistoryServices } from './open-workflow-history.ts'
import { workflowRunRoutes } from './open-workflow-runs.ts'
import type { WorkflowRunServices } from './open-workflow-runs.ts'
import {
  listedWorkflowSchema,
  roleSchema,
  toListedWorkflow,
  toRole,
  toVersion,
  toWorkflowDetail,
  versionSchema,
  workflowDetailSchema,
} from './workflow-info.ts'
import type { Creator } from './workflow-info.ts'

export type WorkflowServices = WorkflowRunServices & WorkflowHistoryServices & WorkflowChatServices & WorkflowInfoServices

export type WorkflowInfoServices = {
  getWorkflow(who: Principal, workflowId: string): Promise<Workflow & { version: string }>
  listWorkflows(who: Principal, request: Omit<WorkflowFilter, 'ownerId'> & Page): Promise<{ workflows: ListedWorkflow[]; total: number }>
  listVersions(who: Principal, request: { workflowId: string } & Page): Promise<{ versions: ListedVersion[]; total: number }>
  getCreator(who: Principal): Promise<Creator>
  publicUrl: string
}

const tags = ['Workflows']

/** Workflows are made by manifests and commands; here they are run and read. */
export const workflowRoutes =
  (services: WorkflowServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(workflowRunRoutes(services))
    await http.register(workflowChatRoutes(services))
    await http.register(workflowHistoryRoutes(services))
    await http.register(listingRoute(services))
    await http.register(readingRoutes(services))
  }

const STATUS_RULE = 'must be all, published_online, published_draft or unpublished_draft'
const statusField = z.enum(['all', 'published_online', 'published_draft', 'unpublished_draft'], STATUS_RULE)
const isPublished = { all: undefined, published_online: true, published_draft: true, unpublished_draft: false }

const listingRoute =
  (services: WorkflowInfoServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/workflows',
      {
        config: { auth: 'key', action: ['workflows', 'read'] },
        schema: {
          tags,
          summary: 'List your workflows, newest first',
          querystring: z.object({
            workspace_id: optionalIdField,
            workflow_mode: z.enum(['workflow', 'chatflow'], 'must be workflow or chatflow').optional(),
            app_id: optionalIdField,
            publish_status: statusField.default('published_online'),
            page_num: pageNumberField,
            page_size: pageSizeField(100, 20),
          }),
          response: {
            200: successSchema(z.object({ items: z.array(listedWorkflowSchema), has_more: z.boolean(), total: z.number() })),
          },
        },
      },
      async (request) => {
        const { workspace_id: workspaceId, workflow_mode: mode, app_id: appId, publish_status: status } = request.query
        const { page_num: page, page_size: size } = request.query
        assertOwnWorkspace(request.principal, workspaceId)
        const [{ workflows, total }, creator] = await Promise.all([
          services.listWorkflows(request.principal, { mode, appId, isPublished: isPublished[status], page, size }),
          services.getCreator(request.principal),
        ])
        const items = workflows.map((workflow) => toListedWorkflow(workflow, { creator, publicUrl: services.publicUrl }))
        return success(request, { items, has_more: page * size < total, total })
      },
    )
  }

const paramsSchema = z.object({ workflow_id: idField })
const TOKEN_RULE = 'must be the next_page_token of the page before'
const pageTokenField = z
  .string()
  .regex(/^[1-9]\d{0,5}$/, TOKEN_RULE)
  .transform(Number)
  .optional()

const readingRoutes =
  (services: WorkflowInfoServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/workflows/:workflow_id',
      {
        config: { auth: 'key', action: ['workflows', 'read'] },
        schema: {
          tags,
          summary: 'Read what a workflow is: its live version, or the draft while nothing is live',
          params: paramsSchema,
          querystring: z.object({ connector_id: optionalIdField }),
          response: { 200: successSchema(z.object({ role: roleSchema.nullable(), workflow_detail: workflowDetailSchema })) },
        },
      },
      async (request) => {
        const [workflow, creator] = await Promise.all([
          services.getWorkflow(request.principal, request.params.workflow_id),
          services.getCreator(request.principal),
        ])
        const { publicUrl } = services
        return success(request, { role: toRole(workflow, publicUrl), workflow_detail: toWorkflowDetail(workflow, { creator, publicUrl }) })
      },
    )

    http.get(
      '/v1/workflows/:workflow_id/versions',
      {
        config: { auth: 'key', action: ['workflows', 'read'] },
        schema: {
          tags,
          summary: 'List the published versions of a workflow, newest first',
          params: paramsSchema,
          querystring: z.object({
            publish_status: statusField.default('published_online').describe('Every version was published: unpublished_draft has none.'),
            page_token: pageTokenField.describe('The next_page_token of the page before.'),
            page_size: pageSizeField(30, 10),
          }),
          response: {
            200: successSchema(z.object({ items: z.array(versionSchema), has_more: z.boolean(), next_page_token: z.string() })),
          },
        },
      },
      async (request) => {
        const { page_token: page = 1, page_size: size, publish_status: status } = request.query
        const { workflow_id: workflowId } = request.params
        const [{ versions, total }, creator] = await Promise.all([
          services.listVersions(request.principal, { workflowId, page, size }),
          services.getCreator(request.principal),
        ])
        const hasMore = page * size < total && status !== 'unpublished_draft'
        const items = status === 'unpublished_draft' ? [] : versions.map((version) => toVersion(version, creator))
        return success(request, { items, has_more: hasMore, next_page_token: hasMore ? String(page + 1) : '' })
      },
    )
  }
