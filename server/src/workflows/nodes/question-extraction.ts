import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeRun } from '../engine/node-type.ts'
import { convertFields } from '../values/convert-value.ts'
import { fillNulls } from '../values/fill-values.ts'
import type { Field } from '../values/value-type.ts'
import { isValueObject } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import { toObjectSchema } from './field-schema.ts'
import { findJsonObject } from './json-reply.ts'
import type { ModelSettings } from './llm-settings.ts'
import { askModel, getModel } from './model-call.ts'
import type { QuestionState } from './question-state.ts'

export type Extraction = {
  fields: Field[]
  model: ModelSettings
  /** What else the builder tells the model. */
  persona: string
}

/** The fields that the answers hold, or what is still to be asked. */
export type Extracted = { kind: 'fields'; values: ValueObject } | { kind: 'question'; question: string }

/** Rejects with a NodeError when the model does not keep to the form of the reply. */
export async function extractFields(run: NodeRun, { fields, model, persona }: Extraction, state: QuestionState): Promise<Extracted> {
  const { text } = await askModel(run, {
    model: await getModel(run, model.modelType),
    parameters: model.parameters,
    messages: [
      { role: 'system', content: toRules(fields, persona) },
      { role: 'user', content: `${toTranscript(state)}\n\nReply with the JSON object.` },
    ],
  })
  const reply = findJsonObject(text)
  if (typeof reply?.question === 'string' && reply.question.trim() !== '') return { kind: 'question', question: reply.question }
  if (!reply || !isValueObject(reply.fields))
    throw new NodeError(nodeErrors.executionFailed, `the model did not reply with the fields of the answer: ${text.slice(0, 200)}`)

  const { values, warnings } = convertFields(reply.fields, fields, { dropsUnknown: true })
  for (const warning of warnings) run.warn(`in the fields that the model found ${warning}`)
  // a field that nobody has told is null, required or not
  return { kind: 'fields', values: fillNulls(values, fields).values }
}

function toRules(fields: Field[], persona: string): string {
  const required = fields.filter((field) => field.required).map((field) => field.name)
  return `You fill in a form from what a person has answered. Its fields, as a JSON Schema:
${JSON.stringify(toObjectSchema(fields))}
Required fields: ${required.length > 0 ? required.join(', ') : 'none'}

Reply with one JSON object and nothing else: {"fields": {…}, "question": "…"}.
- "fields" holds what the answers tell. Leave out what they do not tell; never make anything up.
- "question" is empty when every required field is known. Otherwise it asks for what is missing, in one short sentence and in the language of the person.${
    persona === '' ? '' : `\n\nWhen you ask, keep to this as well:\n${persona}`
  }`
}

function toTranscript({ asked, answers }: QuestionState): string {
  return asked.map(({ question }, round) => `Question: ${question}\nAnswer: ${answers[round] ?? ''}`).join('\n\n')
}
