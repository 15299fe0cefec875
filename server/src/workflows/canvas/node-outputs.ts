import { isRecord } from '../../lib/json-schema.ts'
import type { Binding } from '../engine/graph.ts'
import type { Field, ValueType } from '../values/value-type.ts'
import type { CanvasNode } from './canvas-document.ts'
import { parseBindings, parseFields } from './canvas-values.ts'

/** What other nodes find in a node: the outputs it declares, those of a loop or batch included. Throws a CanvasProblem. */
export function parseOutputs(node: CanvasNode): Field[] {
  return isComposite(node) ? toFields(parseBindings(node.outputs, 'outputs')) : parseFields(node.outputs, 'outputs')
}

/** What the nodes of a body find in their loop or batch: an element of each list, the loop's variables and `index`. Throws a CanvasProblem. */
export function parsePassOutputs({ inputs }: CanvasNode): Field[] {
  const { inputLists } = isRecord(inputs.batch) ? inputs.batch : {}
  const lists = parseBindings(inputLists ?? inputs.inputParameters, 'inputs.inputParameters')
  const variables = parseBindings(inputs.variableParameters, 'inputs.variableParameters')
  const elements = lists.map(({ type, ...list }) => ({ ...list, type: type?.kind === 'list' ? type.element : undefined }))
  return toFields([...elements, ...variables, { name: 'index', type: { kind: 'integer' } }])
}

/** Loops and batches have a body. */
export const isComposite = ({ type }: CanvasNode): boolean => type === '21' || type === '28'

function toFields(bindings: Pick<Binding, 'name' | 'type'>[]): Field[] {
  return bindings.flatMap(({ name, type }) => (type ? [{ name, type, required: false, description: '' }] : []))
}

export type FoundType =
  | { kind: 'found'; type: ValueType }
  /** The canvas does not say: a field that is not declared, an object or list without a schema. */
  | { kind: 'unknown' }
  /** The path goes on below a list whose elements have no fields. */
  | { kind: 'blocked'; below: string[] }

/** The declared type of what a path finds. A list on the way stands for its first element, as it does in a run. */
export function findType(fields: Field[], path: string[]): FoundType {
  let current: ValueType = { kind: 'object', fields }
  for (const [index, name] of path.entries()) {
    const parent = elementOf(current)
    if (current.kind === 'list' && parent && parent.kind !== 'object') return { kind: 'blocked', below: path.slice(0, index) }
    const next: Field | undefined = parent?.kind === 'object' ? parent.fields?.find((field) => field.name === name) : undefined
    if (!next) return { kind: 'unknown' }
    current = next.type
  }
  return { kind: 'found', type: current }
}

function elementOf(type: ValueType): ValueType | undefined {
  let current: ValueType | undefined = type
  while (current?.kind === 'list') current = current.element
  return current
}
