import type { NodeType } from '../engine/node-type.ts'
import { fieldOf, printValue } from '../values/value.ts'
import { planInputs } from './plain-inputs.ts'

/** A value as JSON text. */
export const toJsonNode: NodeType<undefined> = {
  code: '58',
  name: 'ToJSON',
  fillsInputs: true,
  fillsOutputs: true,
  parse: planInputs,
  run: async ({ inputs }) => ({ kind: 'done', outputs: { output: printValue(fieldOf(inputs, 'input') ?? null) } }),
}
