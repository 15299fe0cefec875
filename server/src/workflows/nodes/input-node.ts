import { canonicalKeys } from '../canvas/canvas-keys.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseFields } from '../canvas/canvas-values.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeRun, NodeType } from '../engine/node-type.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'
import { convertFields } from '../values/convert-value.ts'
import type { Field } from '../values/value-type.ts'
import type { Value, ValueObject } from '../values/value.ts'
import { parseJsonObject } from './json-reply.ts'

export type InputConfig = {
  /** As the canvas has it: callers draw a form from it. */
  schemaText: string
  fields: Field[]
}

const INPUT_EVENT = 5

/** Asks a person to fill in a form, and waits for it. */
export const inputNode: NodeType<InputConfig> = {
  code: '30',
  name: 'Input',
  fillsInputs: false,
  fillsOutputs: true,
  parse({ inputs }) {
    return { config: parseSchema(inputs.outputSchema), inputs: [] }
  },
  async run(run) {
    if (run.answer !== undefined) return { kind: 'done', outputs: readForm(run, run.answer) }

    const event = parseSaved(run.saved) ?? run.createEvent(INPUT_EVENT, toEventData(run.config))
    run.save(event)
    return { kind: 'waiting', events: [event] }
  },
}

function parseSchema(raw: unknown): InputConfig {
  const at = 'inputs.outputSchema'
  const schemaText = typeof raw === 'string' ? raw : JSON.stringify(raw ?? [])
  return { schemaText, fields: parseFields(canonicalKeys(parseSchemaText(schemaText, at)), at) }
}

function parseSchemaText(text: string, at: string): unknown {
  try {
    return JSON.parse(text === '' ? '[]' : text)
  } catch {
    throw new CanvasProblem(at, 'is not valid JSON')
  }
}

function parseSaved(saved: Value | undefined): WaitingEvent | undefined {
  return saved as WaitingEvent | undefined
}

const toEventData = ({ schemaText }: InputConfig) => JSON.stringify({ content: schemaText, content_type: 'form_schema' })

function readForm(run: NodeRun<InputConfig>, answer: string): ValueObject {
  const { fields } = run.config
  const { isChatflow, botId } = run.services.context
  const isChat = isChatflow || botId !== undefined
  const form = parseJsonObject(answer) ?? (isChat ? readLines(answer, fields) : undefined)
  if (!form) throw new NodeError(nodeErrors.invalidParameter, `the input must be ${describeForm(fields, isChat)}`)

  const { values, warnings, missing } = convertFields(form, fields, { dropsUnknown: true })
  if (missing.length > 0)
    throw new NodeError(nodeErrors.missingParameter, `the input lacks ${missing.join(', ')}: it must be ${describeForm(fields, isChat)}`)
  for (const warning of warnings) run.warn(`in the input ${warning}`)
  return values
}

/** Lines such as `name:value`, as people write them in a chat; a line without the name of a field goes on with the value before. */
function readLines(text: string, fields: Field[]): ValueObject | undefined {
  const names = new Set(fields.map(({ name }) => name))
  const found = new Map<string, string>()
  let current: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const colon = line.search(/[:：]/)
    const name = line.slice(0, Math.max(colon, 0)).trim()
    if (names.has(name)) {
      current = name
      found.set(name, line.slice(colon + 1))
    } else if (current !== undefined) found.set(current, `${found.get(current) ?? ''}\n${line}`)
  }
  if (found.size === 0 && fields.length > 0) return undefined
  return Object.fromEntries([...found].map(([name, value]) => [name, value.trim()]))
}

function describeForm(fields: Field[], isChat: boolean): string {
  const names = fields.map(({ name }) => name).join(', ')
  const lines = isChat ? ', or have a line such as name:value for each of them' : ''
  return `a JSON object with the fields ${names}${lines}`
}
