import type { Canvas, CanvasNode } from '../canvas/canvas-document.ts'
import { plainText } from '../canvas/canvas-values.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { isExit, pruneCanvas } from '../canvas/prune-canvas.ts'
import { nodeIssue } from './canvas-issue.ts'
import type { CanvasIssue } from './canvas-issue.ts'
import { listParts } from './canvas-part.ts'
import { findCycles } from './find-cycles.ts'

/** An empty version is the draft. Undefined for a workflow that does not exist; may reject with the CanvasProblem of one that cannot be read. */
export type LoadSubWorkflow = (workflowId: string, version: string) => Promise<SubWorkflow | undefined>
export type SubWorkflow = { name: string; canvas: Canvas }

/** A workflow and what it calls. */
export type CallingWorkflow = {
  key: string
  workflowId?: string
  name?: string
  version: string
  canvas: Canvas
  calls: WorkflowCallSite[]
}
export type WorkflowCallSite = { node: CanvasNode; workflowId: string; version: string; key: string; problem?: string }

/** More than any real workflow is made of. */
const MAX_WORKFLOWS = 500
const SUB_WORKFLOW = '9'

/** The workflow and all that it calls, directly or through others, each version once; the workflow itself first. */
export async function loadCalledWorkflows(
  root: { workflowId?: string; canvas: Canvas },
  load: LoadSubWorkflow,
): Promise<CallingWorkflow[]> {
  const workflows = [toCalling({ ...root, version: '', key: keyOf(root.workflowId ?? '', '') })]
  const known = new Map<string, string | undefined>([[workflows[0]?.key ?? '', undefined]])
  for (const { calls } of workflows) {
    for (const call of calls) {
      if (!known.has(call.key)) known.set(call.key, await loadInto(workflows, call, load))
      call.problem = known.get(call.key)
    }
  }
  return workflows
}

/** Answers with what is wrong with the called workflow. */
async function loadInto(workflows: CallingWorkflow[], call: WorkflowCallSite, load: LoadSubWorkflow): Promise<string | undefined> {
  const { workflowId, version, key } = call
  if (workflows.length >= MAX_WORKFLOWS) return `the workflow is made of more than ${MAX_WORKFLOWS} others`
  try {
    const found = await load(workflowId, version)
    if (!found) return `the workflow ${workflowId}${version && ` of version ${version}`} does not exist`
    workflows.push(toCalling({ ...found, workflowId, version, key }))
    return undefined
  } catch (cause) {
    if (!(cause instanceof CanvasProblem)) throw cause
    return `the canvas of the workflow ${workflowId} cannot be read: ${cause.message}`
  }
}

function toCalling(workflow: Omit<CallingWorkflow, 'calls'>): CallingWorkflow {
  const parts = listParts(pruneCanvas(workflow.canvas).canvas)
  const nodes = parts.flatMap((part) => [...part.nodes.values()]).filter(({ type }) => type === SUB_WORKFLOW)
  return { ...workflow, calls: nodes.flatMap(toCall) }
}

/** None where the node names no workflow: that its settings cannot be read is reported with them. */
function toCall(node: CanvasNode): WorkflowCallSite[] {
  const { workflowId, workflowVersion } = node.inputs
  const id = plainText(workflowId)
  if (!/^\d{1,20}$/.test(id)) return []
  const version = typeof workflowVersion === 'string' ? workflowVersion : ''
  return [{ node, workflowId: id, version, key: keyOf(id, version) }]
}

const keyOf = (workflowId: string, version: string) => `${workflowId}@${version}`

/** Issues of each workflow's calls: what is missing, what leads back to itself, what answers otherwise than the node expects. */
export function checkCalls(workflows: CallingWorkflow[]): Map<CallingWorkflow, CanvasIssue[]> {
  const called = new Map(workflows.map((workflow) => [workflow.key, workflow]))
  const lines = workflows.flatMap(({ key, calls }) => calls.map((call) => ({ from: key, to: call.key, call })))
  const recursive = new Set(findCycles(lines).map(({ call }) => call))
  return new Map(workflows.map((workflow) => [workflow, workflow.calls.flatMap((call) => checkCall(call, { called, recursive }))]))
}

type Known = { called: Map<string, CallingWorkflow>; recursive: Set<WorkflowCallSite> }

function checkCall(call: WorkflowCallSite, { called, recursive }: Known): CanvasIssue[] {
  const { node, problem } = call
  if (problem !== undefined) return [nodeIssue(node, problem, 'inputs.workflowId')]
  if (recursive.has(call)) {
    const message = `node "${node.title}" leads back to its own workflow: a workflow must not call itself, not even through others`
    return [nodeIssue(node, message, 'inputs.workflowId')]
  }

  const exit = called.get(call.key)?.canvas.nodes.find(isExit)
  const answers = exit?.inputs.terminatePlan === 'useAnswerContent'
  const expectsAnswer = Number(node.inputs.type ?? 0) === 1
  return answers === expectsAnswer ? [] : [nodeIssue(node, 'sub workflow has been modified, please refresh the page', 'inputs.type')]
}
