import type { CanvasNode } from '../canvas/canvas-document.ts'
import { parseBindings } from '../canvas/canvas-values.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodePlan } from '../engine/node-type.ts'
import { toText } from '../values/value-text.ts'
import { fieldOf } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'

/** For node types without settings of their own: all they know is in their inputs. */
export const planInputs = ({ inputs }: CanvasNode): NodePlan<undefined> => ({
  config: undefined,
  inputs: parseBindings(inputs.inputParameters, 'inputs.inputParameters'),
})

/** Empty where there is none. */
export const readText = (inputs: ValueObject, name: string): string => toText(fieldOf(inputs, name) ?? '')

export function requireText(inputs: ValueObject, name: string): string {
  const text = readText(inputs, name)
  if (text === '') throw new NodeError(nodeErrors.invalidParameter, `${name} is required`)
  return text
}

/** Undefined for what is no whole number from 1. */
export function readCount(inputs: ValueObject, name: string): number | undefined {
  const count = Number(readText(inputs, name))
  return Number.isSafeInteger(count) && count > 0 ? count : undefined
}
