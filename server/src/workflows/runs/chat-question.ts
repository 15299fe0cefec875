import { isRecord } from '../../lib/json-schema.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'

/** A waiting event as a message of a chat: a question is its text; a choice and a form are cards, as Coze's clients draw them. */
export function toChatQuestion({ data, type }: WaitingEvent): { text: string; contentType: 'text' | 'card' } {
  const parsed = parseData(data)
  if (type === INPUT) return { text: card({ card_type: 'INPUT', input_card_data: parseFields(parsed.content) }), contentType: 'card' }

  const question = parseLastQuestion(parsed.messages)
  if (question.contentType !== 'option') return { text: question.text, contentType: 'text' }
  return { text: card({ card_type: 'QUESTION', question_card_data: question.content }), contentType: 'card' }
}

/** As above, in words alone: options and the fields of a form are lines, which is how they are answered. */
export function toPlainQuestion({ data, type }: WaitingEvent): string {
  const parsed = parseData(data)
  if (type === INPUT) return toLines(parseFields(parsed.content).map((field) => `${String(field.name)}: ${String(field.type)}`))

  const { text, content } = parseLastQuestion(parsed.messages)
  return toLines([text, ...parseOptions(content).map((option) => `- ${option}`)])
}

const toLines = (lines: string[]): string => lines.filter((line) => line !== '').join('\n')

const INPUT = 5
const TEMPLATE_ID = '7383997384420262000'

const card = (info: Record<string, unknown>): string =>
  JSON.stringify({ template_id: TEMPLATE_ID, x_properties: { workflow_card_info: JSON.stringify(info) } })

function parseData(data: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(data)
  return isRecord(parsed) ? parsed : {}
}

function parseFields(schema: unknown): { type: unknown; name: unknown }[] {
  const fields: unknown = typeof schema === 'string' ? JSON.parse(schema) : schema
  return Array.isArray(fields) ? fields.filter(isRecord).map(({ type, name }) => ({ type, name })) : []
}

function parseLastQuestion(messages: unknown): { text: string; contentType: string; content: unknown } {
  const last: unknown = Array.isArray(messages)
    ? messages.filter((each: unknown) => isRecord(each) && each.type === 'question').at(-1)
    : undefined
  if (!isRecord(last)) return { text: '', contentType: 'text', content: undefined }
  const content: unknown = last.content
  const text = typeof content === 'string' ? content : isRecord(content) && typeof content.question === 'string' ? content.question : ''
  return { text, contentType: String(last.content_type), content }
}

function parseOptions(content: unknown): string[] {
  const options: unknown = isRecord(content) ? content.options : undefined
  return Array.isArray(options) ? options.filter(isRecord).map(({ name }) => String(name)) : []
}
