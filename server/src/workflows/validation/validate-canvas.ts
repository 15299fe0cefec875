import type { Canvas } from '../canvas/canvas-document.ts'
import { pruneCanvas } from '../canvas/prune-canvas.ts'
import type { NodeTypes } from '../engine/compile-graph.ts'
import type { CanvasIssue } from './canvas-issue.ts'
import { listParts } from './canvas-part.ts'
import { checkBasics } from './check-basics.ts'
import { checkConnections, checkCycles, checkNesting } from './check-connections.ts'
import { checkReferences } from './check-references.ts'
import { checkRunnable } from './check-runnable.ts'
import { checkVariableTypes } from './check-variables.ts'
import type { FindVariableType } from './check-variables.ts'
import { planNodes } from './plan-nodes.ts'
import { checkCalls, loadCalledWorkflows } from './sub-workflows.ts'
import type { LoadSubWorkflow } from './sub-workflows.ts'

export type ValidationContext = {
  nodeTypes: NodeTypes
  /** Of the workflow itself, so that a call of itself is noticed. */
  workflowId?: string
  /** Only for a workflow that belongs to an app or agent: without it types of global variables are not checked. */
  findVariableType?: FindVariableType
  loadSubWorkflow: LoadSubWorkflow
}

/** The issues of one workflow; without an id they are those of the canvas that was given. */
export type WorkflowIssues = { workflowId?: string; name?: string; issues: CanvasIssue[] }

/**
 * What keeps the canvas from running, and what keeps the draft workflows from running that it calls, one group for each workflow with
 * issues; none for a canvas without. A workflow is checked in stages, and a stage with issues is the last one.
 */
export async function validateCanvas(canvas: Canvas, context: ValidationContext): Promise<WorkflowIssues[]> {
  const workflows = await loadCalledWorkflows({ workflowId: context.workflowId, canvas }, context.loadSubWorkflow)
  const calls = checkCalls(workflows)
  return workflows.flatMap((workflow, index) => {
    // published versions were checked when they were published
    const own = workflow.version === '' ? checkDrawing(workflow.canvas, context) : []
    const issues = own.length > 0 ? own : (calls.get(workflow) ?? [])
    if (issues.length === 0) return []
    return index === 0 ? [{ issues }] : [{ workflowId: workflow.workflowId, name: workflow.name, issues }]
  })
}

/** All stages that need no other workflow. */
function checkDrawing(canvas: Canvas, { nodeTypes, findVariableType }: ValidationContext): CanvasIssue[] {
  const parts = listParts(pruneCanvas(canvas).canvas)
  const { plans, issues: unreadable } = planNodes(parts, nodeTypes)
  const stages = [
    () => [...checkBasics(parts, nodeTypes), ...unreadable],
    () => checkConnections(parts, plans),
    () => checkCycles(parts),
    () => checkNesting(parts),
    () => checkReferences(parts),
    () => checkRunnable(parts, plans),
    () => (findVariableType ? checkVariableTypes(parts, findVariableType) : []),
  ]
  for (const check of stages) {
    const issues = check()
    if (issues.length > 0) return issues
  }
  return []
}
