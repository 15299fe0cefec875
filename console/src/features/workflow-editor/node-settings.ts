import type { SettingHint } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { isObject, listAt, readAt, textAt, writeAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'

type Place = Pick<SettingHint, 'path' | 'param' | 'kind'>

/** The value that a form shows. Of an entry in a list of params it is the literal, unless the form is for whole inputs. */
export function readSetting(data: JsonObject, place: Place): Json | undefined {
  const { path, param } = place
  if (param === undefined) return readAt(data, path)
  if (isObject(readAt(data, path))) return readAt(data, `${path}.${param}`)
  const input = readAt(findParam(data, place), 'input')
  return takesInput(place) ? input : readAt(input, 'value.content')
}

/** Whether the setting is a reference where the form is for a plain value: then only a whole input can show it. */
export function isReference(data: JsonObject, place: Place): boolean {
  if (place.param === undefined || takesInput(place)) return false
  return textAt(readAt(findParam(data, place), 'input'), 'value.type') === 'ref'
}

/** `data` with the setting; undefined removes it. */
export function writeSetting(data: JsonObject, place: Place, value: Json | undefined): JsonObject {
  const { path, param } = place
  if (param === undefined) return withLiteral(writeAt(data, path, value), path)
  if (isObject(readAt(data, path))) return writeAt(data, `${path}.${param}`, value)

  const entry = findParam(data, place)
  const list = listAt(data, path)
  if (value === undefined)
    return writeAt(
      data,
      path,
      list.filter((each) => each !== entry),
    )
  const before = readAt(entry, 'input')
  const input = takesInput(place) ? value : toLiteral(value, { before, kind: place.kind })
  const written = entry ? list.map((each) => (each === entry ? writeAt(entry, 'input', input) : each)) : [...list, { name: param, input }]
  return writeAt(data, path, written)
}

/** A content without its input is nothing that can be read: the rest of the literal is put around it. */
function withLiteral(data: JsonObject, path: string): JsonObject {
  const at = /^(.+)\.value\.content$/.exec(path)?.[1]
  if (at === undefined || textAt(data, `${at}.value.type`) !== '') return data
  return writeAt(writeAt(data, `${at}.type`, 'string'), `${at}.value.type`, 'literal')
}

const findParam = (data: JsonObject, { path, param }: Place): JsonObject | undefined =>
  listAt(data, path)
    .filter(isObject)
    .find((each) => textAt(each, 'name') === param)

const takesInput = ({ kind }: Place) => kind === 'value' || kind === 'json'

function toLiteral(content: Json, { before, kind }: { before: Json | undefined; kind: SettingHint['kind'] }): JsonObject {
  const literal: JsonObject = isObject(before) ? before : newLiteral(content, kind)
  return writeAt(writeAt(literal, 'value.type', 'literal'), 'value.content', content)
}

function newLiteral(content: Json, kind: SettingHint['kind']): JsonObject {
  const type = literalType(content, kind)
  return type === 'list' ? { type, schema: { type: 'string' } } : { type }
}

function literalType(content: Json, kind: SettingHint['kind']): string {
  if (kind === 'boolean') return 'boolean'
  if (kind === 'model') return 'integer'
  if (kind === 'number') return Number.isInteger(content) ? 'integer' : 'float'
  if (kind === 'texts') return 'list'
  return 'string'
}
