import type { ModelContentPart, ModelMessage } from '../../models/model-adapter.ts'
import type { Binding } from '../engine/graph.ts'
import type { NodeRun } from '../engine/node-type.ts'
import { parseTemplate, renderPart, renderTemplate, resolvePlaceholder } from '../values/template.ts'
import type { Template, TemplatePart } from '../values/template.ts'
import type { ValueType } from '../values/value-type.ts'
import type { Value } from '../values/value.ts'

export type LlmPrompt = {
  system: Template
  user: Template
  /** Behind the user's prompt: how the answer has to look. */
  instruction: string
  historyRounds: number
  /** By the name of the input: tells which placeholders are pictures. */
  types: ReadonlyMap<string, ValueType>
}

type PromptTexts = { system: string; user: string; instruction: string; historyRounds: number; inputs: Binding[] }

export function parsePrompt({ system, user, inputs, ...rest }: PromptTexts): LlmPrompt {
  const types = new Map(inputs.flatMap(({ name, type }): [string, ValueType][] => (type ? [[name, type]] : [])))
  return { ...rest, system: parseTemplate(system), user: parseTemplate(user), types }
}

/** What the model is asked: the system prompt, earlier rounds of a chatflow, the user's prompt. */
export async function toMessages(run: NodeRun, prompt: LlmPrompt): Promise<ModelMessage[]> {
  const { inputs, isSkipped } = run
  const system = renderTemplate(prompt.system, inputs, { isSkipped })
  const history = prompt.historyRounds > 0 ? await run.services.getHistory(prompt.historyRounds) : []
  return [
    ...(system === '' ? [] : [{ role: 'system', content: system } as const]),
    ...history,
    { role: 'user', content: toUserContent(run, prompt) },
  ]
}

/** A text, or parts where pictures stand between texts. */
function toUserContent(run: NodeRun, prompt: LlmPrompt): string | ModelContentPart[] {
  const { inputs, isSkipped } = run
  const hasPictures = prompt.user.parts.some((part) => pictureUrls(run, prompt, part).length > 0)
  if (!hasPictures) return renderTemplate(prompt.user, inputs, { isSkipped }) + prompt.instruction

  const parts: ModelContentPart[] = []
  for (const part of prompt.user.parts) {
    const urls = pictureUrls(run, prompt, part)
    if (urls.length > 0) parts.push(...urls.map((url) => ({ type: 'image', url }) as const))
    else addText(parts, renderPart(part, inputs, { isSkipped }))
  }
  addText(parts, prompt.instruction)
  return parts
}

function addText(parts: ModelContentPart[], text: string): void {
  const last = parts.at(-1)
  if (text === '') return
  if (last?.type === 'text') last.text += text
  else parts.push({ type: 'text', text })
}

/** Of a placeholder for a picture or a list of them. What no model could load stays text. */
function pictureUrls({ inputs }: NodeRun, { types }: LlmPrompt, part: TemplatePart): string[] {
  if (part.kind === 'text' || !isPicture(typeAt(types.get(part.root), part.path))) return []
  const value = resolvePlaceholder(part, inputs) ?? null
  const urls = Array.isArray(value) ? value : [value]
  return urls.every(isLoadable) ? urls : []
}

const isLoadable = (value: Value): value is string => typeof value === 'string' && /^(?:https?:\/\/|data:image\/)/i.test(value)

function isPicture(type: ValueType | undefined): boolean {
  if (type?.kind === 'list') return isPicture(type.element)
  return type?.kind === 'file' && type.file === 'image'
}

function typeAt(type: ValueType | undefined, path: (string | number)[]): ValueType | undefined {
  let current = type
  for (const step of path) {
    if (typeof step === 'number') current = current?.kind === 'list' ? current.element : undefined
    else current = current?.kind === 'object' ? current.fields?.find(({ name }) => name === step)?.type : undefined
  }
  return current
}
