import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeType } from '../engine/node-type.ts'
import { parseFields } from '../canvas/canvas-values.ts'
import { convertFields, convertLiteral, convertValue } from '../values/convert-value.ts'
import { fillNulls } from '../values/fill-values.ts'
import type { Field } from '../values/value-type.ts'
import { fieldOf } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'

/** Where a workflow begins: its outputs are what the caller gave. */
export const entryNode: NodeType<undefined> = {
  code: '1',
  name: 'Start',
  fillsInputs: false,
  fillsOutputs: false,
  parse: (node) => ({ config: undefined, inputs: [], outputs: parseFields(node.outputs, 'outputs') }),
  async run({ node, inputs, warn }) {
    const { values, warnings, missing } = readArguments(node.outputs, inputs)
    if (missing.length > 0) throw new NodeError(nodeErrors.missingParameter, `the required parameter ${missing.join(', ')} is missing`)
    for (const warning of warnings) warn(warning)
    return { kind: 'done', outputs: values }
  },
}

export type Arguments = { values: ValueObject; warnings: string[]; missing: string[] }

/** What a caller gave, as the workflow's nodes see it: converted, with defaults; what is not there is null. */
export function readArguments(fields: Field[], args: ValueObject): Arguments {
  const { values, warnings, missing } = convertFields(args, fields)
  const defaults = fields.flatMap((field): [string, Value][] => {
    const value = defaultFor(field, fieldOf(values, field.name))
    return value === undefined ? [] : [[field.name, value]]
  })
  const given = Object.fromEntries([...Object.entries(values), ...defaults])
  const filled = new Set(defaults.map(([name]) => name))
  return { values: fillNulls(given, fields).values, warnings, missing: missing.filter((name) => !filled.has(name)) }
}

/** A default stands in for what is not there, and for empty texts, lists and objects: never for a number, boolean, time or file. */
function defaultFor({ name, type, defaultText }: Field, value: Value | undefined): Value | undefined {
  if (defaultText === undefined || !isEmpty(value, type.kind)) return undefined
  if (defaultText === '' && type.kind !== 'string') return undefined
  try {
    const { value: converted, warnings } = convertValue(convertLiteral(defaultText, type), type)
    if (warnings.length > 0) throw new Error(warnings.join('; '))
    return converted
  } catch (cause) {
    throw new NodeError(
      nodeErrors.invalidParameter,
      `the default of the parameter ${name} cannot be read: ${cause instanceof Error ? cause.message : ''}`,
    )
  }
}

function isEmpty(value: Value | undefined, kind: Field['type']['kind']): boolean {
  if (value === undefined || value === null) return true
  if (kind === 'string') return value === ''
  if (Array.isArray(value)) return value.length === 0
  return kind === 'object' && typeof value === 'object' && Object.keys(value).length === 0
}
