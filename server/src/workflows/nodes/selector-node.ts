import { isRecord } from '../../lib/json-schema.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { isLeftOpen, parseBlockInput } from '../canvas/canvas-values.ts'
import type { Binding } from '../engine/graph.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeType } from '../engine/node-type.ts'
import type { ValueType } from '../values/value-type.ts'
import { fieldOf } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import { findOperator } from './selector-operators.ts'
import type { Operand, Operator } from './selector-operators.ts'

type Branch = { logic: 'and' | 'or'; clauses: Clause[] }
type Clause = { operator: Operator; left: Side; right?: Side }
/** An operand: under which input it arrives, and as what it is declared. */
type Side = { input: string; type?: ValueType }

/** Goes on by the port of the first branch that holds, or by `false`. */
export const selectorNode: NodeType<Branch[]> = {
  code: '8',
  name: 'If',
  fillsInputs: false,
  fillsOutputs: false,
  parse({ inputs }) {
    const bindings: Binding[] = []
    const branches = parseBranches(inputs.branches, bindings)
    return { config: branches, inputs: bindings, ports: [...branches.map((_branch, index) => portOf(index)), 'false'] }
  },
  async run({ config, inputs }) {
    assertComplete(config, inputs)
    const chosen = config.findIndex((branch) => holds(branch, inputs))
    if (chosen < 0) return { kind: 'done', outputs: { result: 'pass to else branch' }, port: 'false' }
    return { kind: 'done', outputs: { result: `pass to condition ${chosen + 1} branch` }, port: portOf(chosen) }
  },
}

const portOf = (index: number) => (index === 0 ? 'true' : `true_${index}`)

/** Of every branch, also of those that are not looked at. */
function assertComplete(branches: Branch[], inputs: ValueObject): void {
  for (const [index, { clauses }] of branches.entries()) {
    if (clauses.some(({ left }) => fieldOf(inputs, left.input) === undefined))
      throw new NodeError(
        nodeErrors.executionFailed,
        `branch ${index + 1} has nothing to compare: the left side has no value. Does it refer to a node that did not run?`,
      )
  }
}

/** Clauses behind the one that decides are not looked at. */
function holds({ logic, clauses }: Branch, inputs: ValueObject): boolean {
  const isTrue = ({ operator, left, right }: Clause) => operator.holds(toOperand(left, inputs), toOperand(right, inputs))
  return logic === 'and' ? clauses.every(isTrue) : clauses.some(isTrue)
}

const toOperand = (side: Side | undefined, inputs: ValueObject): Operand => ({
  value: (side && fieldOf(inputs, side.input)) ?? null,
  type: side?.type,
})

function parseBranches(raw: unknown, bindings: Binding[]): Branch[] {
  if (!Array.isArray(raw) || raw.length === 0) throw new CanvasProblem('inputs.branches', 'must be a list of branches')
  return raw.map((branch: unknown, index) => {
    const at = `inputs.branches[${index}].condition`
    if (!isRecord(branch) || !isRecord(branch.condition)) throw new CanvasProblem(at, 'must have conditions')
    const { conditions, logic } = branch.condition
    if (!Array.isArray(conditions) || conditions.length === 0)
      throw new CanvasProblem(`${at}.conditions`, 'must have at least one condition')

    const clauses = conditions.map((condition: unknown, place) =>
      parseClause(condition, { at: `${at}.conditions[${place}]`, name: `${index}.${place}`, bindings }),
    )
    return { logic: clauses.length === 1 ? 'and' : parseLogic(logic, `${at}.logic`), clauses }
  })
}

function parseLogic(raw: unknown, at: string): Branch['logic'] {
  const code = Number(raw)
  if (code !== 1 && code !== 2) throw new CanvasProblem(at, `must be 1 (or) or 2 (and), not ${JSON.stringify(raw)}`)
  return code === 1 ? 'or' : 'and'
}

type ClausePlace = { at: string; name: string; bindings: Binding[] }

function parseClause(raw: unknown, { at, name, bindings }: ClausePlace): Clause {
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must be a condition')
  const operator = findOperator(Number(raw.operator))
  if (!operator) throw new CanvasProblem(`${at}.operator`, `is not known: ${JSON.stringify(raw.operator)}`)

  const left = parseSide(raw.left, { at: `${at}.left`, name: `${name}.left` })
  if (!left) throw new CanvasProblem(`${at}.left`, 'must be a parameter')
  const isOpen = operator.isUnary && isRecord(raw.right) && isLeftOpen(raw.right.input)
  const right = isOpen ? undefined : parseSide(raw.right, { at: `${at}.right`, name: `${name}.right` })
  bindings.push(left, ...(right ? [right] : []))
  return { operator, left: toSide(left), right: right && toSide(right) }
}

function parseSide(raw: unknown, { at, name }: { at: string; name: string }): Binding | undefined {
  if (!isRecord(raw) || !isRecord(raw.input)) return undefined
  return { name, ...parseBlockInput(raw.input, `${at}.input`) }
}

const toSide = ({ name, type }: Binding): Side => ({ input: name, type })
