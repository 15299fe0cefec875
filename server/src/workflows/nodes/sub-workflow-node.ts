import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings, plainText } from '../canvas/canvas-values.ts'
import type { CalledWorkflow } from '../engine/graph.ts'
import type { NodeType } from '../engine/node-type.ts'

/** Another workflow of the same owner as a step of this one. */
export const subWorkflowNode: NodeType<CalledWorkflow> = {
  code: '9',
  name: 'SubWorkflow',
  fillsInputs: false,
  fillsOutputs: false,
  parse({ inputs }) {
    const workflowId = plainText(inputs.workflowId)
    if (!/^\d+$/.test(workflowId)) throw new CanvasProblem('inputs.workflowId', 'must be the id of a workflow')
    const version = typeof inputs.workflowVersion === 'string' ? inputs.workflowVersion : ''
    const called = { workflowId, version }
    return { config: called, inputs: parseBindings(inputs.inputParameters, 'inputs.inputParameters'), writesText: called }
  },
  async run({ config, inputs, callWorkflow }) {
    return callWorkflow({ ...config, key: '', inputs })
  },
}
