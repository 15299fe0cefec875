import { isRecord } from '../../lib/json-schema.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBlockInput } from '../canvas/canvas-values.ts'
import type { Binding } from '../engine/graph.ts'
import type { NodeRun, NodeType } from '../engine/node-type.ts'
import type { TextStream } from '../engine/text-stream.ts'
import { fieldOf } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'

/** `inputs` are the names under which its variables arrive, in the order in which they are tried. */
type Group = { name: string; inputs: string[] }

/** Of each group of variables the first one that has a value, also when that is still being written. */
export const aggregatorNode: NodeType<Group[]> = {
  code: '32',
  name: 'VariableAggregator',
  fillsInputs: false,
  fillsOutputs: true,
  readsStreams: true,
  parse({ inputs }) {
    const groups = parseGroups(inputs.mergeGroups)
    return {
      config: groups.map(({ name, variables }) => ({ name, inputs: variables.map((variable) => variable.name) })),
      inputs: groups.flatMap(({ variables }) => variables),
    }
  },
  async run(run) {
    const choices = run.config.map((group) => choose(run, group))
    const streams = choices.flatMap(({ name, stream }): [string, TextStream][] => (stream ? [[name, stream]] : []))
    if (streams.length > 0) return { kind: 'streaming', streams: Object.fromEntries(streams), finished: gather(choices) }
    return { kind: 'done', outputs: Object.fromEntries(choices.map(({ name, value }) => [name, value])) }
  },
}

/** `value` is null where there is a stream, or nothing at all. */
type Choice = { name: string; value: Value; stream?: TextStream }

function choose(run: NodeRun, { name, inputs }: Group): Choice {
  for (const input of inputs) {
    const stream = Object.hasOwn(run.streams, input) ? run.streams[input] : undefined
    if (stream) return { name, value: null, stream }
    const value = run.isSkipped(input) ? null : (fieldOf(run.inputs, input) ?? null)
    if (value !== null) return { name, value }
  }
  return { name, value: null }
}

async function gather(choices: Choice[]): Promise<ValueObject> {
  const entries = choices.map(async ({ name, value, stream }) => [name, stream ? await stream.text() : value] as const)
  return Object.fromEntries(await Promise.all(entries))
}

function parseGroups(raw: unknown): { name: string; variables: Binding[] }[] {
  const groups: unknown[] = Array.isArray(raw) ? raw : []
  return groups.map((group, index) => {
    const at = `inputs.mergeGroups[${index}]`
    if (!isRecord(group) || typeof group.name !== 'string') throw new CanvasProblem(at, 'must be a group with a name and variables')
    const { name } = group
    const variables: unknown[] = Array.isArray(group.variables) ? group.variables : []
    return {
      name,
      variables: variables.map((variable, place) => ({
        name: `${name}.${place}`,
        ...parseBlockInput(variable, `${at}.variables[${place}]`),
      })),
    }
  })
}
