import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { fieldOf, isValueObject } from './value.ts'
import type { Value } from './value.ts'

/**
 * What is found below these names; undefined for a name that is not there. With `drills` a list on the way stands for its
 * first element. Throws a NodeError where the way leads through null or an empty list.
 */
export function readPath(value: Value | undefined, path: string[], options: { drills: boolean }): Value | undefined {
  let current = value
  for (const [index, name] of path.entries()) {
    if (current === undefined) return undefined
    const parent = options.drills ? firstElement(current, path.slice(0, index)) : current
    if (parent === null)
      throw new NodeError(nodeErrors.executionFailed, `intermediate source value on path ${show(path.slice(0, index))} is nil`)
    current = isValueObject(parent) ? fieldOf(parent, name) : undefined
  }
  return current
}

function firstElement(value: Value, path: string[]): Value {
  let current = value
  while (Array.isArray(current)) {
    const [first] = current
    if (first === undefined)
      throw new NodeError(nodeErrors.executionFailed, `the list on path ${show(path)} is empty: it has no element to read from`)
    current = first
  }
  return current
}

const show = (path: string[]) => JSON.stringify(path.join('.'))
