import { AppError } from '../../lib/app-error.ts'
import { isValueObject, parseValue, storeValue } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'
import { parseCanvas } from './canvas-document.ts'
import type { Canvas } from './canvas-document.ts'

export const MAX_CANVAS_BYTES = 8_000_000

/**
 * The one text under which a canvas is stored: compact, its keys in their order, its numbers exact. How a file was laid out is no
 * change of the canvas. Throws `invalid_request` for what is no JSON object, or too large.
 */
export function toCanvasText(source: string | ValueObject): string {
  const text = typeof source === 'string' ? source : print(source)
  if (Buffer.byteLength(text) > MAX_CANVAS_BYTES)
    throw new AppError('invalid_request', `the canvas is too large: it may have ${MAX_CANVAS_BYTES / 1e6} MB`)

  const canvas = parse(text)
  if (!isValueObject(canvas)) throw new AppError('invalid_request', 'the canvas must be a JSON object, as Coze Studio exports it')
  return print(canvas)
}

function parse(text: string): Value {
  try {
    return parseValue(text)
  } catch (cause) {
    throw new AppError('invalid_request', `the canvas is not valid JSON: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

function print(canvas: Value): string {
  try {
    return storeValue(canvas)
  } catch (cause) {
    throw new AppError('invalid_request', 'the canvas is nested too deeply', { cause })
  }
}

/** The canvas of a stored text. Throws a CanvasProblem. */
export const readCanvas = (text: string): Canvas => parseCanvas(parseValue(text))
