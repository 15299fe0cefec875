import { isRecord } from '../../lib/json-schema.ts'
import type { Binding, Source, VariableScope } from '../engine/graph.ts'
import { convertLiteral } from '../values/convert-value.ts'
import type { Field, FileKind, ValueType } from '../values/value-type.ts'
import type { Value } from '../values/value.ts'
import { CanvasProblem } from './canvas-problem.ts'

/** Params, values and variables of a canvas (`docs/workflows.md` names the source of the format), typed. */

/** A list of params, such as `inputParameters`. Absent: none. */
export function parseBindings(raw: unknown, at: string): Binding[] {
  if (raw === undefined || raw === null) return []
  if (!Array.isArray(raw)) throw new CanvasProblem(at, 'must be a list of parameters')
  return raw.map((param: unknown, index) => parseBinding(param, `${at}[${index}]`))
}

/** One param: a name with an `input`. */
export function parseBinding(raw: unknown, at: string): Binding {
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must be a parameter')
  return { name: typeof raw.name === 'string' ? raw.name : '', ...parseBlockInput(raw.input, `${at}.input`) }
}

export type BlockInput = { type?: ValueType; source: Source }

/** A typed value: a literal, a reference or an object of them. */
export function parseBlockInput(raw: unknown, at: string): BlockInput {
  if (!isRecord(raw) || !isRecord(raw.value)) throw new CanvasProblem(at, 'must have a type and a value')
  const type = raw.type === undefined ? undefined : parseType(raw, at)
  const { content } = raw.value
  switch (raw.value.type) {
    case 'literal':
      return { type, source: { from: 'literal', value: parseLiteral(content, type, `${at}.value.content`) } }
    case 'ref':
      return { type, source: parseReference(content, `${at}.value.content`) }
    case 'object_ref':
      return { type, source: { from: 'fields', fields: parseBindings(raw.schema, `${at}.schema`) } }
    default:
      throw new CanvasProblem(`${at}.value.type`, `must be literal, ref or object_ref, not ${JSON.stringify(raw.value.type)}`)
  }
}

/** A text such as an id, which some canvases hold as a number. Empty for anything else. */
export const plainText = (raw: unknown): string =>
  typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'bigint' ? String(raw) : ''

/** What the editor leaves where nothing was chosen: no value, or a reference to nothing. */
export function isLeftOpen(raw: unknown): boolean {
  if (!isRecord(raw) || !isRecord(raw.value)) return true
  const { type, content } = raw.value
  if (type === 'object_ref') return false
  if (type === 'ref' && isRecord(content) && content.source === 'block-output') return content.blockID === ''
  return content === undefined || content === null
}

function parseLiteral(content: unknown, type: ValueType | undefined, at: string): Value {
  if (content === undefined || content === null) throw new CanvasProblem(at, 'a literal needs a value')
  try {
    return convertLiteral(content as Value, type)
  } catch (cause) {
    throw new CanvasProblem(at, cause instanceof Error ? cause.message : 'cannot be read')
  }
}

const scopes: Record<string, VariableScope> = {
  global_variable_app: 'app',
  global_variable_user: 'user',
  global_variable_system: 'system',
}

function parseReference(raw: unknown, at: string): Source {
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must be a reference')
  const scope = scopes[String(raw.source)]
  if (scope) return { from: 'variable', scope, path: parsePath(raw.path, `${at}.path`) }
  if (raw.source !== 'block-output') throw new CanvasProblem(`${at}.source`, `is not known: ${JSON.stringify(raw.source)}`)

  const name = typeof raw.name === 'string' ? raw.name : ''
  // @NOTE an empty id is an issue of the validator, not of the parser
  return { from: 'node', nodeId: typeof raw.blockID === 'string' ? raw.blockID : '', path: name === '' ? [] : name.split('.') }
}

function parsePath(raw: unknown, at: string): string[] {
  if (!Array.isArray(raw) || raw.length === 0 || !raw.every((each) => typeof each === 'string'))
    throw new CanvasProblem(at, 'must be a list of names')
  return raw
}

/** Declared variables, such as `outputs`. The read-only `errorBody`, which only error handling makes, is left out. */
export function parseFields(raw: unknown, at: string): Field[] {
  if (raw === undefined || raw === null) return []
  if (!Array.isArray(raw)) throw new CanvasProblem(at, 'must be a list of variables')
  return raw.map((each: unknown, index) => parseField(each, `${at}[${index}]`)).filter((field) => field !== undefined)
}

function parseField(raw: unknown, at: string): Field | undefined {
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must be a variable')
  const name = typeof raw.name === 'string' ? raw.name : ''
  if (name === 'errorBody' && raw.readOnly === true) return undefined
  return {
    name,
    type: parseType(raw, at),
    required: raw.required === true,
    description: typeof raw.description === 'string' ? raw.description : '',
    defaultText: parseDefault(raw.defaultValue),
  }
}

function parseDefault(raw: unknown): string | undefined {
  if (raw === undefined || raw === null) return undefined
  return typeof raw === 'string' ? raw : JSON.stringify(raw)
}

const fileKinds: FileKind[] = ['file', 'image', 'doc', 'code', 'ppt', 'txt', 'excel', 'audio', 'zip', 'video', 'svg', 'voice']
const TIME = 10_000

/** From `type`, `assistType` and `schema`. */
export function parseType(raw: Record<string, unknown>, at: string): ValueType {
  switch (raw.type) {
    case 'string':
      return parseTextType(raw.assistType, `${at}.assistType`)
    case 'integer':
    case 'boolean':
      return { kind: raw.type }
    case 'float':
      return { kind: 'number' }
    case 'object':
      return { kind: 'object', fields: parseProperties(raw.schema, `${at}.schema`) }
    case 'list':
      return isRecord(raw.schema) ? { kind: 'list', element: parseType(raw.schema, `${at}.schema`) } : { kind: 'list' }
    default:
      throw new CanvasProblem(`${at}.type`, `is not a type: ${JSON.stringify(raw.type)}`)
  }
}

function parseTextType(assistType: unknown, at: string): ValueType {
  const code = Number(assistType ?? 0)
  if (code === 0) return { kind: 'string' }
  if (code === TIME) return { kind: 'time' }
  const file = fileKinds[code - 1]
  if (!file) throw new CanvasProblem(at, `is not known: ${JSON.stringify(assistType)}`)
  return { kind: 'file', file }
}

/**
 * The schema of an object: variables, or the params of an `object_ref`, whose types are in their inputs. Some exports have it
 * by the names of the fields, or within an object's type of its own.
 */
function parseProperties(raw: unknown, at: string): Field[] | undefined {
  if (isRecord(raw)) return parseProperties(raw.type === 'object' && 'schema' in raw ? raw.schema : listNamed(raw), at)
  if (!Array.isArray(raw)) return undefined
  const variables = raw.map((each: unknown) => (isRecord(each) && isRecord(each.input) ? { ...each.input, name: each.name } : each))
  return parseFields(variables, at)
}

const listNamed = (fields: Record<string, unknown>): unknown[] =>
  Object.entries(fields).map(([name, field]) => (isRecord(field) ? { name, ...field } : field))
