import { isRecord } from '../../lib/json-schema.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { isLeftOpen } from '../canvas/canvas-values.ts'
import { nodeIssue } from './canvas-issue.ts'
import type { CanvasIssue } from './canvas-issue.ts'

/** Settings of one node that can be read, but that no run could carry out. `around` is the loop or batch it is in. */
export function checkSettings(node: CanvasNode, around?: CanvasNode): CanvasIssue[] {
  const issues = checkNames(node)
  switch (node.type) {
    case '8':
      return [...issues, ...checkConditions(node)]
    case '19':
    case '29':
      return [...issues, ...checkPlace(node, around)]
    case '20':
      return [...issues, ...checkPlace(node, around), ...checkLoopVariables(node, around)]
    default:
      return issues
  }
}

/** No two values for one name: in the parameters of a node, the fields of an object, and what a loop and its variables are called. */
function checkNames(node: CanvasNode): CanvasIssue[] {
  const lists = [...listParameters(node, 'inputParameters'), ...listParameters(node, 'variableParameters')]
  const named = lists.map(({ raw, at }) => ({ name: targetOf(raw), at }))
  const fields = lists.flatMap(({ raw, at }) => findRepeatedFields(raw.input, `${at}.input`))
  return [...findRepeated(named), ...fields].map(({ name, at }) =>
    nodeIssue(node, `there are two values for "${name}": use a name once`, at),
  )
}

type Parameter = { raw: Record<string, unknown>; at: string }

function listParameters({ inputs }: CanvasNode, setting: string): Parameter[] {
  const list: unknown[] = Array.isArray(inputs[setting]) ? inputs[setting] : []
  return list.flatMap((raw, index) => (isRecord(raw) ? [{ raw, at: `inputs.${setting}[${index}]` }] : []))
}

/** An assignment sets what is on its left, whatever its name. */
function targetOf({ name, left }: Record<string, unknown>): string {
  const content = contentOf(left)
  if (!content) return typeof name === 'string' ? name : ''
  return Array.isArray(content.path) ? `${String(content.source)}.${content.path.join('.')}` : String(content.name)
}

function contentOf(side: unknown): Record<string, unknown> | undefined {
  return isRecord(side) && isRecord(side.value) && isRecord(side.value.content) ? side.value.content : undefined
}

type Named = { name: string; at: string }

function findRepeated(named: Named[]): Named[] {
  const seen = new Set<string>()
  return named.filter(({ name }) => {
    const isRepeated = name !== '' && seen.has(name)
    seen.add(name)
    return isRepeated
  })
}

function findRepeatedFields(input: unknown, at: string): Named[] {
  if (!isRecord(input) || !isRecord(input.value) || input.value.type !== 'object_ref' || !Array.isArray(input.schema)) return []
  const fields = input.schema.map((field: unknown, index) => ({ field, at: `${at}.schema[${index}]` }))
  const named = fields.map(({ field, at: where }) => ({
    name: isRecord(field) && typeof field.name === 'string' ? field.name : '',
    at: where,
  }))
  const deeper = fields.flatMap(({ field, at: where }) => (isRecord(field) ? findRepeatedFields(field.input, `${where}.input`) : []))
  return [...findRepeated(named), ...deeper]
}

/** Empty, not empty, is true, is false. */
const unary = new Set([9, 10, 11, 12])

function checkConditions(node: CanvasNode): CanvasIssue[] {
  const branches: unknown[] = Array.isArray(node.inputs.branches) ? node.inputs.branches : []
  return branches.flatMap((branch, index) => {
    const { conditions } = isRecord(branch) && isRecord(branch.condition) ? branch.condition : {}
    const list: unknown[] = Array.isArray(conditions) ? conditions : []
    return list.flatMap((condition, number) => {
      if (!isRecord(condition) || !unary.has(Number(condition.operator)) || !hasValue(condition.right)) return []
      const at = `inputs.branches[${index}].condition.conditions[${number}].right`
      return [nodeIssue(node, `the operator ${Number(condition.operator)} compares with nothing: remove the right side`, at)]
    })
  })
}

const hasValue = (side: unknown): boolean => isRecord(side) && !isLeftOpen(side.input)

const LOOP = '21'

function checkPlace(node: CanvasNode, around: CanvasNode | undefined): CanvasIssue[] {
  return around?.type === LOOP ? [] : [nodeIssue(node, `node "${node.title}" works only in the body of a loop`)]
}

function checkLoopVariables(node: CanvasNode, around: CanvasNode | undefined): CanvasIssue[] {
  if (!around) return []
  const variables = new Set(listParameters(around, 'variableParameters').map(({ raw }) => raw.name))
  return listParameters(node, 'inputParameters').flatMap(({ raw, at }) => {
    const content = contentOf(raw.left)
    const isVariable = content?.blockID === around.id && variables.has(content.name)
    return isVariable ? [] : [nodeIssue(node, `"${String(content?.name)}" is no variable of the loop "${around.title}"`, `${at}.left`)]
  })
}
