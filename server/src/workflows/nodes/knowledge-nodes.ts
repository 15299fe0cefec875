import type { CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings } from '../canvas/canvas-values.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodePlan, NodeType } from '../engine/node-type.ts'
import { planInputs } from './plain-inputs.ts'

/** Read, so that canvases with them are taken; a run that comes to one fails there. */
export const knowledgeRetrieverNode: NodeType<undefined> = knowledgeNode('6', 'Dataset')
export const knowledgeIndexerNode: NodeType<undefined> = knowledgeNode('27', 'DatasetWrite')
export const knowledgeDeleterNode: NodeType<undefined> = knowledgeNode('60', 'KnowledgeDelete')

export const knowledgeNodes = [knowledgeRetrieverNode, knowledgeIndexerNode, knowledgeDeleterNode]

function knowledgeNode(code: string, name: string): NodeType<undefined> {
  return {
    ...{ code, name, fillsInputs: true, fillsOutputs: true },
    parse: planKnowledge,
    async run() {
      throw new NodeError(nodeErrors.executionFailed, 'no knowledge base is configured on this server')
    },
  }
}

function planKnowledge(node: CanvasNode): NodePlan<undefined> {
  const settings = parseBindings(node.inputs.datasetParam, 'inputs.datasetParam')
  if (!settings.some(({ name }) => name === 'datasetList'))
    throw new CanvasProblem('inputs.datasetParam', 'must name the knowledge bases in datasetList')
  return planInputs(node)
}
