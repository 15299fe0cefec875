import type { CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings, parseBlockInput } from '../canvas/canvas-values.ts'
import type { Binding } from '../engine/graph.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeResult, NodeRun, NodeType } from '../engine/node-type.ts'
import { zeroOf } from '../values/fill-values.ts'
import { fieldOf } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'
import { collectItem, outputFields, parseBodyOutputs } from './body-outputs.ts'
import type { BodyOutput } from './body-outputs.ts'
import { BREAK } from './loop-control-nodes.ts'

export type LoopConfig = { kind: 'array' | 'count' | 'infinite'; lists: string[]; variables: Binding[]; outputs: BodyOutput[] }

/** Name of the input with the number of passes; no parameter of a canvas may be called so. */
const COUNT = '$count'

/** Its body again and again: for each element of its lists, a number of times, or until a break. One pass after another. */
export const loopNode: NodeType<LoopConfig> = {
  code: '21',
  name: 'Loop',
  fillsInputs: true,
  fillsOutputs: true,
  parse(node) {
    const { kind, lists, variables, count } = parseSettings(node)
    const outputs = parseBodyOutputs(
      node,
      variables.map(({ name }) => name),
    )
    return {
      config: { kind, lists: lists.map(({ name }) => name), variables, outputs },
      inputs: [...lists, ...variables, ...count],
      outputs: outputFields(outputs),
    }
  },
  run: runLoop,
}

function parseSettings({ inputs }: CanvasNode) {
  const kind = inputs.loopType
  if (kind !== 'array' && kind !== 'count' && kind !== 'infinite')
    throw new CanvasProblem('inputs.loopType', 'must be array, count or infinite')

  const lists = parseBindings(inputs.inputParameters, 'inputs.inputParameters')
  if (kind === 'array' && lists.length === 0) throw new CanvasProblem('inputs.inputParameters', 'a loop over lists needs at least one list')
  const variables = parseBindings(inputs.variableParameters, 'inputs.variableParameters')
  const count = kind === 'count' ? [{ ...parseBlockInput(inputs.loopCount, 'inputs.loopCount'), name: COUNT }] : []
  for (const { name } of [...lists, ...variables])
    if (name.startsWith('$')) throw new CanvasProblem('inputs', `${name} cannot be the name of a list or variable: $ is for the loop's own`)
  return { kind, lists, variables, count } as const
}

async function runLoop(run: NodeRun<LoopConfig>): Promise<NodeResult> {
  const { config, inputs } = run
  // a pass that waits goes on with the lists and variables that there were
  if (run.saved === undefined) run.save({})
  const passes = countPasses(config, inputs)
  const keep = config.outputs.flatMap((output) => (output.from === 'body' ? [output.nodeId] : []))
  const lists = new Map<string, Value[]>()
  let variables = pick(inputs, config.variables)

  for (let index = 0; index < passes; index++) {
    const pass = await run.runBody({ index, keep, seed: { ...elementsAt(inputs, config.lists, index), index, ...variables } })
    if (pass.kind === 'waiting') return pass

    variables = pick(pass.seed, config.variables)
    for (const output of config.outputs) collectItem(lists, output, pass.outputs)
    if (Object.hasOwn(pass.seed, BREAK)) break
  }
  return { kind: 'done', outputs: Object.fromEntries(config.outputs.map((output) => [output.name, valueOf(output, { variables, lists })])) }
}

function countPasses({ kind, lists }: LoopConfig, inputs: ValueObject): number {
  if (kind === 'infinite') return Number.POSITIVE_INFINITY
  if (kind === 'array') return shortest(inputs, lists)

  const count = Number(inputs[COUNT] ?? 0)
  if (count < 0) throw new NodeError(nodeErrors.executionFailed, `Workflow execution failure: a loop cannot run ${count} times`)
  return count
}

export function shortest(inputs: ValueObject, lists: string[]): number {
  return Math.min(...lists.map((name) => listIn(inputs, name).length))
}

export const listIn = (inputs: ValueObject, name: string): Value[] => {
  const list = inputs[name]
  return Array.isArray(list) ? list : []
}

export function elementsAt(inputs: ValueObject, lists: string[], index: number): ValueObject {
  return Object.fromEntries(lists.map((name) => [name, listIn(inputs, name)[index] ?? null]))
}

/** A variable without a value reads as the zero of its type. */
function pick(from: ValueObject, variables: Binding[]): ValueObject {
  return Object.fromEntries(variables.map(({ name, type }) => [name, fieldOf(from, name) ?? (type ? zeroOf(type) : null)]))
}

function valueOf(output: BodyOutput, { variables, lists }: { variables: ValueObject; lists: Map<string, Value[]> }): Value {
  return output.from === 'variable' ? (fieldOf(variables, output.variable) ?? null) : (lists.get(output.name) ?? [])
}
