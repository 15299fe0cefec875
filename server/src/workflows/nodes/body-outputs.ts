import type { CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings } from '../canvas/canvas-values.ts'
import { readPath } from '../values/read-path.ts'
import type { Field, ValueType } from '../values/value-type.ts'
import type { Value, ValueObject } from '../values/value.ts'

/** An output of a loop or batch: the last value of a loop variable, or what a node of the body gave in each pass. */
export type BodyOutput = { name: string; type: ValueType | undefined } & (
  { from: 'variable'; variable: string } | { from: 'body'; nodeId: string; path: string[] }
)

/** `variables` are names of loop variables: a reference of one of these names means the variable, whatever node it points to. */
export function parseBodyOutputs(node: CanvasNode, variables: string[] = []): BodyOutput[] {
  return parseBindings(node.outputs, 'outputs').map(({ name, type, source }, index) => {
    const at = `outputs[${index}]`
    if (source.from !== 'node') throw new CanvasProblem(at, 'must refer to a node of the body or to a loop variable')
    const [first, ...deeper] = source.path
    const isVariable = first !== undefined && deeper.length === 0 && (source.nodeId === node.id || variables.includes(first))
    if (isVariable) return { name, type, from: 'variable', variable: first }
    if (source.nodeId === node.id) throw new CanvasProblem(at, 'must refer to a loop variable by its name alone')
    return { name, type, from: 'body', nodeId: source.nodeId, path: source.path }
  })
}

export function outputFields(outputs: BodyOutput[]): Field[] {
  return outputs.map(({ name, type }) => ({ name, type: type ?? { kind: 'list' }, required: false, description: '' }))
}

/** What the pass gave for this output; undefined when its node did not run, or gave nothing. */
export function readItem(output: BodyOutput, outputs: Record<string, ValueObject>): Value | undefined {
  if (output.from !== 'body' || !Object.hasOwn(outputs, output.nodeId)) return undefined
  return readPath(outputs[output.nodeId], output.path, { drills: true })
}

/** A pass without a value adds nothing. */
export function collectItem(lists: Map<string, Value[]>, output: BodyOutput, outputs: Record<string, ValueObject>): void {
  const item = readItem(output, outputs)
  if (item === undefined) return
  const known = lists.get(output.name)
  if (known) known.push(item)
  else lists.set(output.name, [item])
}
