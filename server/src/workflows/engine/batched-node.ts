import { isRecord } from '../../lib/json-schema.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'

/** Node batch mode: a model, plugin or sub-workflow node that runs once for each element of a list. */
export const isBatched = ({ inputs }: CanvasNode): boolean => isRecord(inputs.batch) && inputs.batch.batchEnable === true

/**
 * The same, drawn as a batch node with one inner node. References of the inner node to its own id
 * mean the current element: that id is now the batch's.
 */
export function toBatch(node: CanvasNode): { batch: CanvasNode; inner: CanvasNode } {
  const { batch: settings, ...inputs } = node.inputs
  const innerId = `${node.id}_inner`
  const { name, schema } = parseListOutput(node.outputs)
  const { batchSize, concurrentSize, inputLists } = isRecord(settings) ? settings : {}
  return {
    batch: {
      ...node,
      type: '28',
      inputs: { batchSize: literal(batchSize), concurrentSize: literal(concurrentSize), inputParameters: inputLists },
      outputs: [{ name, input: reference(innerId, schema) }],
    },
    inner: { ...node, id: innerId, inputs, outputs: isRecord(schema) ? schema.schema : [] },
  }
}

function parseListOutput(outputs: unknown): { name: string; schema: unknown } {
  const declared = Array.isArray(outputs)
    ? outputs.filter((each: unknown) => isRecord(each) && each.name !== 'errorBody' && each.name !== 'isSuccess')
    : []
  const only: unknown = declared[0]
  const isListOfObjects = isRecord(only) && only.type === 'list' && isRecord(only.schema) && only.schema.type === 'object'
  if (declared.length !== 1 || !isListOfObjects || typeof only.name !== 'string')
    throw new CanvasProblem('outputs', 'a node in batch mode must have exactly one output, which is a list of objects')
  return { name: only.name, schema: only.schema }
}

/** Absent or null: none. */
const literal = (size: unknown) =>
  isRecord(size) ? size : (size ?? undefined) && { type: 'integer', value: { type: 'literal', content: size } }

const reference = (nodeId: string, schema: unknown) => ({
  type: 'list',
  schema,
  value: { type: 'ref', content: { source: 'block-output', blockID: nodeId, name: '' } },
})
