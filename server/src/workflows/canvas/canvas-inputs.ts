import type { Field } from '../values/value-type.ts'
import { CanvasProblem } from './canvas-problem.ts'
import { readCanvas } from './canvas-text.ts'
import { parseFields } from './canvas-values.ts'
import { isEntry } from './prune-canvas.ts'

/** What a run of the stored canvas wants to know; undefined for a canvas that cannot be read that far. */
export function readInputs(canvasText: string): Field[] | undefined {
  try {
    const entry = readCanvas(canvasText).nodes.find(isEntry)
    return parseFields(entry?.outputs ?? [], 'outputs')
  } catch (cause) {
    if (cause instanceof CanvasProblem || cause instanceof SyntaxError) return undefined
    throw cause
  }
}
