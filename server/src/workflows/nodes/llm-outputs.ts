import { isRecord } from '../../lib/json-schema.ts'
import { parseFields } from '../canvas/canvas-values.ts'
import type { NodeRun } from '../engine/node-type.ts'
import { convertFields } from '../values/convert-value.ts'
import type { Field } from '../values/value-type.ts'
import type { ValueObject } from '../values/value.ts'
import { toObjectSchema } from './field-schema.ts'
import { findJsonObject } from './json-reply.ts'

/** What a model node makes of an answer. */
export type LlmOutputs = {
  shape: { kind: 'text'; output: string } | { kind: 'json'; fields: Field[] }
  hasReasoning: boolean
}

/** The output for what a model thought before it answered. */
export const REASONING = 'reasoning_content'
const MARKDOWN = 1

/**
 * From the declared outputs: one text is the answer as it is, anything else is asked for as JSON. Outputs that are read-only
 * come from error handling, not from the model.
 */
export function parseLlmOutputs(raw: unknown): LlmOutputs {
  const own = Array.isArray(raw) ? raw.filter((each: unknown) => !isRecord(each) || each.readOnly !== true) : raw
  const declared = parseFields(own, 'outputs')
  const fields = declared.filter(({ name }) => name !== REASONING)
  const [first, second] = fields
  const isText = second === undefined && (first === undefined || first.type.kind === 'string')
  return {
    shape: isText ? { kind: 'text', output: first?.name ?? 'output' } : { kind: 'json', fields },
    hasReasoning: fields.length < declared.length,
  }
}

/** Said to the model behind the prompt. `format` is the canvas's: 0 text, 1 Markdown, 2 JSON. */
export function toInstruction({ shape }: LlmOutputs, format: number): string {
  if (shape.kind === 'json') return `\n\n${JSON_RULES}\n${JSON.stringify(toObjectSchema(shape.fields))}`
  return format === MARKDOWN ? `\n\n${MARKDOWN_RULES}` : ''
}

const JSON_RULES =
  'Answer with one JSON object that fits the JSON Schema below, and with nothing else: no explanation and no code fence around it.'
const MARKDOWN_RULES =
  'Write the answer in Markdown. Use headings, lists, tables and code blocks where they help the reader, and plain paragraphs elsewhere.'

/** An answer that is no JSON gives no values, with a warning. */
export function toOutputs(run: NodeRun, { shape, hasReasoning }: LlmOutputs, reply: { text: string; reasoning: string }): ValueObject {
  const reasoning: ValueObject = hasReasoning ? { [REASONING]: reply.reasoning } : {}
  if (shape.kind === 'text') return { [shape.output]: reply.text, ...reasoning }

  const found = findJsonObject(reply.text)
  if (!found) run.warn(`the answer of the model is not the JSON object that was asked for: ${reply.text.slice(0, 200)}`)
  const { values, warnings } = convertFields(found ?? {}, shape.fields)
  for (const warning of warnings) run.warn(`in the answer of the model ${warning}`)
  return { ...values, ...reasoning }
}
