import { findApp } from '../bots/app-store.ts'
import type { AppVariable } from '../bots/app-store.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { CanvasProblem } from './canvas/canvas-problem.ts'
import { readCanvas } from './canvas/canvas-text.ts'
import type { Canvas } from './canvas/canvas-document.ts'
import { parseType } from './canvas/canvas-values.ts'
import { pruneCanvas } from './canvas/prune-canvas.ts'
import { compileCanvas } from './engine/compile-graph.ts'
import type { NodeTypes } from './engine/compile-graph.ts'
import { parseSkills } from './nodes/llm-tools.ts'
import { nodeIssue } from './validation/canvas-issue.ts'
import type { CanvasIssue } from './validation/canvas-issue.ts'
import type { FindVariableType } from './validation/check-variables.ts'
import type { LoadSubWorkflow } from './validation/sub-workflows.ts'
import { validateCanvas } from './validation/validate-canvas.ts'
import type { WorkflowIssues } from './validation/validate-canvas.ts'
import { findWorkflow, findWorkflowVersion } from './workflow-store.ts'
import type { Workflow } from './workflow-record.ts'

export type CheckDeps = { db: Db; nodeTypes: NodeTypes }

/** A canvas that is to run; what is not known of it, as of a mere file, is not asked. */
export type CheckedCanvas = Pick<Workflow, 'canvas'> & Partial<Pick<Workflow, 'id' | 'ownerId' | 'appId'>>

/** What keeps it from running, and what keeps the drafts from running that it calls, a group for each; empty for one that runs. */
export async function checkWorkflow({ db, nodeTypes }: CheckDeps, workflow: CheckedCanvas): Promise<WorkflowIssues[]> {
  const { id: workflowId, ownerId, appId } = workflow
  const load = loadFor(db, ownerId)
  try {
    const canvas = readCanvas(workflow.canvas)
    const context = { nodeTypes, workflowId, findVariableType: await typesOf(db, appId), loadSubWorkflow: load }
    const found = await validateCanvas(canvas, context)
    if (found.length > 0) return found

    const missing = await findMissingTools(canvas, load)
    if (missing.length > 0) return [{ issues: missing }]
    compileCanvas(canvas, nodeTypes)
    return []
  } catch (cause) {
    if (cause instanceof CanvasProblem) return [{ issues: [toIssue(cause)] }]
    throw cause
  }
}

/** Throws `invalid_request` that names every issue. */
export async function assertRunnable(deps: CheckDeps, workflow: Workflow): Promise<void> {
  const lines = describeIssues(workflow, await checkWorkflow(deps, workflow))
  if (lines.length > 0)
    throw new AppError(
      'invalid_request',
      `the workflow ${workflow.name} cannot be published before its canvas is mended:\n${lines.join('\n')}`,
    )
}

/** A line for each issue: workflow, node, path, what is wrong. The group without an id is the one of the workflow that was checked. */
export function describeIssues(checked: { id?: string; name: string }, groups: WorkflowIssues[]): string[] {
  return groups.flatMap(({ workflowId, name, issues }) => {
    const of = workflowId === undefined ? checked : { id: workflowId, name: name ?? '' }
    return issues.map(
      (issue) => `  ${[`workflow ${of.name}${of.id === undefined ? '' : ` (${of.id})`}`, ...placeOf(issue)].join(', ')}: ${issue.message}`,
    )
  })
}

function placeOf({ nodeId, nodeTitle, edge, path, message }: CanvasIssue): string[] {
  return [
    ...(nodeId === undefined ? [] : [`node ${nodeId}${nodeTitle ? ` ${JSON.stringify(nodeTitle)}` : ''}`]),
    ...(edge ? [`edge ${edge.from} > ${edge.to}`] : []),
    // some messages begin with it
    ...(path && !message.startsWith(path) ? [path] : []),
  ]
}

function toIssue({ nodeId, path, message }: CanvasProblem): CanvasIssue {
  return { ...(nodeId !== '' && { nodeId }), path, message }
}

/** Another user's workflow does not exist. */
function loadFor(db: Db, ownerId: string | undefined): LoadSubWorkflow {
  return async (workflowId, version) => {
    const workflow = /^\d{1,19}$/.test(workflowId) ? await findWorkflow(db, workflowId) : undefined
    if (!workflow || (ownerId !== undefined && workflow.ownerId !== ownerId)) return undefined
    const meant = version === '' ? workflow : await findWorkflowVersion(db, workflowId, version)
    return meant && { name: workflow.name, canvas: readCanvas(meant.canvas) }
  }
}

async function findMissingTools(canvas: Canvas, load: LoadSubWorkflow): Promise<CanvasIssue[]> {
  const issues: CanvasIssue[] = []
  const { nodes } = pruneCanvas(canvas).canvas
  for (const node of nodes.flatMap((each) => [each, ...each.blocks]).filter(({ type }) => type === MODEL)) {
    for (const [index, { workflowId, version }] of parseSkills(node.inputs.fcParam).workflows.entries()) {
      const message = `the workflow ${workflowId}${version && ` of version ${version}`} does not exist`
      const at = `inputs.fcParam.workflowFCParam.workflowList[${index}].workflow_id`
      if (!(await load(workflowId, version))) issues.push(nodeIssue(node, message, at))
    }
  }
  return issues
}

const MODEL = '3'

/** Only variables of an app have declared types. */
async function typesOf(db: Db, appId: string | undefined): Promise<FindVariableType | undefined> {
  const app = appId === undefined ? undefined : await findApp(db, appId)
  if (!app) return undefined
  const declared = new Map(app.variables.map((variable: AppVariable) => [variable.name, parseType({ type: variable.type }, variable.name)]))
  return (scope, name) => (scope === 'app' ? declared.get(name) : undefined)
}
