import { isRecord } from '../../lib/json-schema.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { parseBlockInput } from '../canvas/canvas-values.ts'
import type { VariableScope } from '../engine/graph.ts'
import type { ValueType } from '../values/value-type.ts'
import { nodeIssue } from './canvas-issue.ts'
import type { CanvasIssue } from './canvas-issue.ts'
import type { CanvasPart } from './canvas-part.ts'

/** Undefined for a variable that is not known. */
export type FindVariableType = (scope: VariableScope, name: string) => ValueType | undefined

const ASSIGNER = '40'

/** Assigners give global variables values of the variables' own types. */
export function checkVariableTypes(parts: CanvasPart[], find: FindVariableType): CanvasIssue[] {
  const assigners = parts.flatMap((part) => [...part.nodes.values()]).filter(({ type }) => type === ASSIGNER)
  return assigners.flatMap((node) => {
    const parameters: unknown[] = Array.isArray(node.inputs.inputParameters) ? node.inputs.inputParameters : []
    return parameters.flatMap((parameter, index) => (isRecord(parameter) ? checkLeft(node, { parameter, index, find }) : []))
  })
}

type Assignment = { parameter: Record<string, unknown>; index: number; find: FindVariableType }

function checkLeft(node: CanvasNode, { parameter, index, find }: Assignment): CanvasIssue[] {
  const at = `inputs.inputParameters[${index}].left`
  const { type, source } = parseBlockInput(parameter.left, at)
  if (source.from !== 'variable' || type === undefined) return []
  const [name = '', ...deeper] = source.path
  if (deeper.length > 0) return []

  const declared = find(source.scope, name)
  const mismatch = declared && findMismatch(declared, type)
  return mismatch ? [nodeIssue(node, `node name ${node.title},param [${name}], ${mismatch}`, at)] : []
}

function findMismatch(declared: ValueType, given: ValueType): string | undefined {
  if (!isSameKind(declared, given)) return 'type mismatch'
  if (declared.kind !== 'list' || given.kind !== 'list' || !declared.element || !given.element) return undefined
  return isSameKind(declared.element, given.element) ? undefined : 'array element type mismatch'
}

/** Files and times are texts. */
const isSameKind = (one: ValueType, other: ValueType): boolean => plainKind(one) === plainKind(other)
const plainKind = ({ kind }: ValueType) => (kind === 'file' || kind === 'time' ? 'string' : kind)
