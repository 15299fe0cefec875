import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { Db } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import { EMPTY_CANVAS, EMPTY_CHATFLOW_CANVAS } from '../../workflows/canvas/empty-canvas.ts'
import { toCanvasText } from '../../workflows/canvas/canvas-text.ts'
import { unwrapCanvas } from '../../workflows/canvas/wrapped-canvas.ts'
import { emptyRole } from '../../workflows/chatflow-role.ts'
import { nodeCatalog } from '../../workflows/catalog/node-catalog.ts'
import { checkWorkflow } from '../../workflows/workflow-check.ts'
import type { CheckDeps } from '../../workflows/workflow-check.ts'
import type { Workflow } from '../../workflows/workflow-record.ts'
import * as workflows from '../../workflows/workflows.ts'
import type { WorkflowDeps } from '../../workflows/workflows.ts'
import { audited } from '../audit-trail.ts'
import { idField } from '../open/open-fields.ts'
import { success } from '../success-reply.ts'
import { deleteSchema, publishSchema, rollBackSchema, versionListQuery } from './agent-wire.ts'
import { checkWorkflowSchema, newWorkflowSchema, saveWorkflowSchema, workflowListQuery } from './builder-workflow-wire.ts'
import type { CreatedWorkflow, IssueGroup, SavedWorkflow, Workflow as WireWorkflow } from './builder-workflow-wire.ts'
import { toDraft, toIssueGroups, toListedVersion, toNodeType, toSavedWorkflow, toVersionDetail, toWorkflowItem } from './workflow-view.ts'

export type WorkflowServices = WorkflowDeps & Pick<CheckDeps, 'nodeTypes'>

/** Workflows for their builders: canvases, what is wrong with them, versions, what is live. */
export const workflowRoutes =
  (services: WorkflowServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(listRoutes(services))
    await http.register(draftRoutes(services))
    await http.register(versionRoutes(services))
  }

const WORKFLOW = '/api/console/workflows/:id'
const params = z.object({ id: idField })
const config = { auth: 'session' } as const
// a canvas is a text within JSON: its quotes take twice the room
const bodyLimit = 20 * 1024 * 1024

const listRoutes =
  (services: WorkflowServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get('/api/console/workflows', { config, schema: { querystring: workflowListQuery } }, async (request) => {
      const { page, size, search, mode, status } = request.query
      const isPublished = status === 'all' ? undefined : status === 'published'
      const wanted = { page, size, mode, isPublished, search: search || undefined }
      const { workflows: found, total } = await workflows.listWorkflows(services, request.principal, wanted)
      return success(request, { items: found.map(toWorkflowItem), total })
    })

    http.post(
      '/api/console/workflows',
      { config: audited(config, 'workflow.create', 'name', 'mode'), bodyLimit, schema: { body: newWorkflowSchema } },
      async (request) => success(request, await createWorkflow(services, request.principal, request.body)),
    )

    http.get('/api/console/node-types', { config }, async (request) => success(request, { items: nodeCatalog.map(toNodeType) }))
  }

async function createWorkflow(
  services: WorkflowServices,
  who: Principal,
  wanted: z.output<typeof newWorkflowSchema>,
): Promise<CreatedWorkflow> {
  const { name, description, mode, app_id: appId, canvas } = wanted
  const empty = mode === 'chatflow' ? EMPTY_CHATFLOW_CANVAS : EMPTY_CANVAS
  const draft = {
    name,
    description,
    iconUrl: '',
    mode,
    onCrash: 'resume',
    role: emptyRole,
    appId,
    canvas: canvas === undefined ? empty : unwrapCanvas(canvas),
  } as const
  const workflow = await workflows.createWorkflow(services, who, draft)
  return { ...toWorkflow(workflow, toSavedWorkflow(workflow, undefined)), groups: await findIssues(services, workflow) }
}

const toWorkflow = (workflow: Workflow, saved: SavedWorkflow): WireWorkflow => ({ ...saved, draft: toDraft(workflow) })

async function findIssues({ db, nodeTypes }: Pick<WorkflowServices, 'db' | 'nodeTypes'>, workflow: Workflow): Promise<IssueGroup[]> {
  return toIssueGroups(await checkWorkflow({ db, nodeTypes }, workflow), workflow.name)
}

const draftRoutes =
  (services: WorkflowServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(WORKFLOW, { config, schema: { params } }, async (request) => {
      const workflow = await workflows.getOwnWorkflow(services, request.principal, request.params.id)
      return success(request, await showWorkflow(services, workflow))
    })

    http.put(
      `${WORKFLOW}/draft`,
      { config: audited(config, 'workflow.update'), bodyLimit, schema: { params, body: saveWorkflowSchema } },
      async (request) => {
        const { draft, revision } = request.body
        const { icon_url: iconUrl, app_id: appId, on_crash: onCrash, ...rest } = draft
        const { role } = await workflows.getOwnWorkflow(services, request.principal, request.params.id)
        const wanted = { ...rest, iconUrl, onCrash, role, appId: appId ?? undefined, workflowId: request.params.id, revision }
        const saved = await workflows.saveWorkflowDraft(services, request.principal, wanted)
        return success(request, toSavedWorkflow(saved, await workflows.findLiveVersion(services, saved)))
      },
    )

    http.post(
      `${WORKFLOW}/check`,
      { config: { ...config, audit: 'none' }, bodyLimit, schema: { params, body: checkWorkflowSchema } },
      async (request) => {
        const workflow = await workflows.getOwnWorkflow(services, request.principal, request.params.id)
        const { canvas } = request.body
        const checked = canvas === undefined ? workflow : { ...workflow, canvas: toCanvasText(canvas) }
        return success(request, { groups: await findIssues(services, checked) })
      },
    )

    http.delete(
      WORKFLOW,
      { config: audited(config, 'workflow.delete', 'name'), schema: { params, body: deleteSchema } },
      async (request) => {
        await workflows.deleteWorkflow(services, request.principal, { workflowId: request.params.id, name: request.body.name })
        return success(request, {})
      },
    )
  }

async function showWorkflow(services: WorkflowServices, workflow: Workflow): Promise<WireWorkflow> {
  return toWorkflow(workflow, toSavedWorkflow(workflow, await workflows.findLiveVersion(services, workflow)))
}

const versionRoutes =
  (services: WorkflowServices): FastifyPluginAsyncZod =>
  async (http) => {
    const publishing = { ...services, assertRunnable: assertNoIssues(services) }
    const show = async (who: Principal, workflowId: string) =>
      showWorkflow(services, await workflows.getOwnWorkflow(services, who, workflowId))

    http.post(
      `${WORKFLOW}/publish`,
      { config: audited(config, 'workflow.publish', 'version'), schema: { params, body: publishSchema } },
      async (request) => {
        const { principal, params: address, body } = request
        await workflows.publishWorkflow(publishing, principal, { ...body, workflowId: address.id })
        return success(request, await show(principal, address.id))
      },
    )

    http.post(
      `${WORKFLOW}/roll-back`,
      { config: audited(config, 'workflow.roll_back', 'version'), schema: { params, body: rollBackSchema } },
      async (request) => {
        const { principal, params: address, body } = request
        await workflows.rollBackWorkflow(services, principal, { workflowId: address.id, version: body.version })
        return success(request, await show(principal, address.id))
      },
    )

    http.post(`${WORKFLOW}/unpublish`, { config: audited(config, 'workflow.unpublish'), schema: { params } }, async (request) => {
      await workflows.unpublishWorkflow(services, request.principal, request.params.id)
      return success(request, await show(request.principal, request.params.id))
    })

    http.get(`${WORKFLOW}/versions`, { config, schema: { params, querystring: versionListQuery } }, async (request) => {
      const { principal, params: address, query } = request
      const workflow = await workflows.getOwnWorkflow(services, principal, address.id)
      const { versions, total } = await workflows.listWorkflowVersions(services, principal, { ...query, workflowId: address.id })
      return success(request, { items: versions.map((version) => toListedVersion(version, workflow)), total })
    })

    http.get(`${WORKFLOW}/versions/:version`, { config, schema: { params: versionParams } }, async (request) => {
      const { id: workflowId, version: name } = request.params
      const { workflow, version } = await workflows.getWorkflowVersion(services, request.principal, { workflowId, version: name })
      return success(request, toVersionDetail(version, workflow))
    })
  }

const versionParams = params.extend({ version: z.string().max(50) })

/** The issues are in the error, too, for the marks on the canvas. */
const assertNoIssues =
  ({ nodeTypes }: WorkflowServices) =>
  async (db: Db, workflow: Workflow): Promise<void> => {
    const groups = await findIssues({ db, nodeTypes }, workflow)
    if (groups.length === 0) return
    const count = groups.reduce((sum, { issues }) => sum + issues.length, 0)
    throw new AppError(
      'invalid_request',
      `the workflow cannot be published before its canvas is mended: ${count} ${count === 1 ? 'issue' : 'issues'}`,
      {
        details: { groups },
      },
    )
  }
