import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { fieldOf, isValueObject, printValue } from './value.ts'
import { MAX_CHARS } from './value-size.ts'
import type { Value, ValueObject } from './value.ts'

/** A text with placeholders such as `{{user.tags[0].name}}`, read once. */
export type Template = { parts: TemplatePart[] }

export type TemplatePart =
  | { kind: 'text'; text: string }
  /** `root` names an input; an empty path means all of it, so that its stream can stand for the placeholder. `key` is as written. */
  | { kind: 'placeholder'; key: string; root: string; path: (string | number)[] }

export type RenderOptions = {
  /** Whether the source of this input was skipped: then it prints as nothing. */
  isSkipped?: (root: string) => boolean
  /** In place of `printPart`. */
  print?: (value: Value) => string
}

export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = []
  const pushText = (piece: string) => void (piece !== '' && parts.push({ kind: 'text', text: piece }))
  let done = 0
  for (const { start, end, key } of findPlaceholders(text)) {
    pushText(text.slice(done, start))
    const path = parseKey(key)
    // an index that is none is printed, and its placeholder as well
    if (path) parts.push({ kind: 'placeholder', key, ...path })
    else pushText(key + text.slice(start, end))
    done = end
  }
  pushText(text.slice(done))
  return { parts }
}

/** Throws a NodeError when a list does not have the element, or the whole becomes too long. */
export function renderTemplate(template: Template, values: ValueObject, options: RenderOptions = {}): string {
  let whole = ''
  for (const part of template.parts) {
    whole += renderPart(part, values, options)
    if (whole.length > MAX_CHARS) throw new NodeError(nodeErrors.executionFailed, `the text is longer than ${MAX_CHARS} characters`)
  }
  return whole
}

export function renderPart(part: TemplatePart, values: ValueObject, options: RenderOptions = {}): string {
  if (part.kind === 'text') return part.text
  if (options.isSkipped?.(part.root)) return ''
  const value = resolvePlaceholder(part, values)
  return value === undefined ? `{{${part.key}}}` : (options.print ?? printPart)(value)
}

/** Undefined when there is nothing of that name. Throws a NodeError when a list does not have the element. */
export function resolvePlaceholder({ root, path }: TemplatePart & { kind: 'placeholder' }, values: ValueObject): Value | undefined {
  let current = fieldOf(values, root)
  for (const [at, step] of path.entries()) {
    if (current === undefined) return undefined
    if (typeof step === 'string') current = isValueObject(current) ? fieldOf(current, step) : undefined
    else current = elementOf(current, step, () => showPath(root, path.slice(0, at)))
  }
  return current
}

/** Texts as they are, null as nothing, all else as JSON. */
export function printPart(value: Value): string {
  if (value === null) return ''
  return typeof value === 'string' ? value : printValue(value)
}

function elementOf(list: Value, index: number, name: () => string): Value | undefined {
  if (list === null) throw new NodeError(nodeErrors.nullIndex, `${name()} is null: it has no element ${index}`)
  if (!Array.isArray(list)) return undefined
  if (index >= list.length)
    throw new NodeError(nodeErrors.templateIndex, `the index ${index} is out of range: ${name()} has ${list.length} elements`)
  // there is nothing before the first one: such a placeholder stays as it is
  return list[index]
}

const showPath = (root: string, path: (string | number)[]) =>
  root + path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')

type Found = { start: number; end: number; key: string }

/** `{{`, blanks, a key without `}`, `}}`. No text is looked at twice. */
function* findPlaceholders(text: string): Generator<Found> {
  for (let from = 0; ;) {
    const start = text.indexOf('{{', from)
    const close = start < 0 ? -1 : text.indexOf('}', start + 2)
    if (close < 0) return

    const key = toKey(text.slice(start + 2, close))
    if (key !== '' && text[close + 1] === '}') yield { start, end: close + 2, key }
    // where this is none, one that began later would end at the same brace and be none for the same reason
    from = close + 1
  }
}

/** Blanks before the key are dropped, those behind it belong to it; of blanks alone the last one is the key. */
function toKey(inside: string): string {
  const key = inside.replace(/^[\t\n\f\r ]+/, '')
  return key === '' ? inside.slice(-1) : key
}

/** Undefined when what looks like an index is none. */
function parseKey(key: string): { root: string; path: (string | number)[] } | undefined {
  const steps: (string | number)[] = []
  for (const segment of key.split('.')) {
    const parsed = parseSegment(segment)
    if (!parsed) return undefined
    steps.push(...parsed)
  }
  const [root, ...path] = steps
  return typeof root === 'string' ? { root, path } : { root: '', path: steps }
}

/** A name, indexes or both: `tags[0][1]`. */
function parseSegment(segment: string): (string | number)[] | undefined {
  const bracket = segment.indexOf('[')
  if (bracket < 0) return [segment]

  const indexes = segment.slice(bracket)
  if (!/^(?:\[[+-]?\d{1,15}\])+$/.test(indexes)) return undefined
  const name = segment.slice(0, bracket)
  return [...(name === '' ? [] : [name]), ...indexes.slice(1, -1).split('][').map(Number)]
}
