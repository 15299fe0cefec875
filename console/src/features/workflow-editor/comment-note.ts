import { isObject, parseJsonText, readAt } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'

/** The words of a comment: plain, or in the rich text that Coze Studio keeps as JSON. */
export function readNote({ data }: CanvasNode): string {
  const note = readAt(data, 'inputs.note')
  if (typeof note !== 'string') return note === undefined ? '' : wordsIn(note).join('\n')
  try {
    const parsed = parseJsonText(note)
    return typeof parsed === 'object' ? wordsIn(parsed).join('\n') : note
  } catch {
    return note
  }
}

/** One paragraph for each line; what was bold is plain afterwards. */
export const toNote = (text: string): string =>
  JSON.stringify(text.split('\n').map((line) => ({ type: 'paragraph', children: [{ text: line, type: 'text' }] })))

function wordsIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(wordsIn)
  if (!isObject(value)) return []
  if (Array.isArray(value.children)) return [value.children.flatMap(wordsIn).join('')]
  return typeof value.text === 'string' ? [value.text] : Object.values(value).flatMap(wordsIn)
}
