import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings } from '../canvas/canvas-values.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeResult, NodeRun, NodeType } from '../engine/node-type.ts'
import { parseTemplate, renderTemplate } from '../values/template.ts'
import type { Template } from '../values/template.ts'
import { parseRawSettings, readText, toModelSettings } from './llm-settings.ts'
import type { ModelSettings } from './llm-settings.ts'
import { extractFields } from './question-extraction.ts'
import { DYNAMIC_OPTIONS, findChoice, optionPorts, parseOptions, renderOptions } from './question-options.ts'
import type { Options } from './question-options.ts'
import { parseQuestionState, toEventData, toTalk } from './question-state.ts'
import type { Asked, QuestionState } from './question-state.ts'

export type QuestionConfig = {
  question: Template
  /** Absent for a free answer. */
  options: Options | undefined
  /** The answer's fields are found by a model. */
  extracts: boolean
  maxAnswers: number
  model: ModelSettings
  persona: Template
}

const QUESTION_EVENT = 2
const RESPONSE = 'USER_RESPONSE'
const DEFAULT_LIMIT = 3

/** Asks a person, and waits for the answer. */
export const questionNode: NodeType<QuestionConfig> = {
  code: '18',
  name: 'Question',
  fillsInputs: true,
  fillsOutputs: true,
  hasEffects: true,
  parse({ inputs }) {
    const bindings = parseBindings(inputs.inputParameters, 'inputs.inputParameters')
    const options = parseAnswerType(inputs.answer_type) === 'option' ? parseOptions(inputs) : undefined
    const raw = parseRawSettings(inputs.llmParam, 'inputs.llmParam')
    const config = {
      question: parseTemplate(typeof inputs.question === 'string' ? inputs.question : ''),
      options,
      extracts: !options && inputs.extra_output === true,
      maxAnswers: parseLimit(inputs.limit),
      model: toModelSettings(raw),
      persona: parseTemplate(readText(raw, 'systemPrompt')),
    }
    if (!options) return { config, inputs: bindings }
    const list = options.kind === 'dynamic' ? [{ name: DYNAMIC_OPTIONS, ...options.list }] : []
    return { config, inputs: [...bindings, ...list], ports: optionPorts(options) }
  },
  async run(run) {
    const state = parseQuestionState(run.saved)
    if (state.event && run.answer === undefined) return { kind: 'waiting', events: [state.event] }
    if (state.asked.length === 0) return ask(run, state, firstQuestion(run))

    // an answer that was saved before a crash is not taken a second time
    if (state.event && run.answer !== undefined) {
      state.answers.push(run.answer)
      state.event = null
      run.save(structuredClone(state))
    }
    return run.config.options ? choose(run, run.config.options, state) : takeAnswer(run, state)
  },
}

function parseAnswerType(raw: unknown): 'text' | 'option' {
  const type = raw ?? 'text'
  if (type === 'text' || type === 'option') return type
  throw new CanvasProblem('inputs.answer_type', 'must be text or option')
}

function parseLimit(raw: unknown): number {
  const limit = Number(raw ?? DEFAULT_LIMIT)
  return Number.isFinite(limit) && limit >= 1 ? Math.floor(limit) : DEFAULT_LIMIT
}

function firstQuestion(run: NodeRun<QuestionConfig>): Asked {
  const { question, options } = run.config
  return { question: renderTemplate(question, run.inputs), choices: options ? renderOptions(run, options) : [] }
}

function ask(run: NodeRun<QuestionConfig>, state: QuestionState, next: Asked): NodeResult {
  const asked = [...state.asked, next]
  const event = run.createEvent(QUESTION_EVENT, toEventData(run.node.id, { asked, answers: state.answers }))
  run.save({ asked, answers: state.answers, event })
  return { kind: 'waiting', events: [event] }
}

async function choose(run: NodeRun<QuestionConfig>, options: Options, state: QuestionState): Promise<NodeResult> {
  const { question, choices } = state.asked[0] ?? { question: '', choices: [] }
  const answer = state.answers[0] ?? ''
  const index = await findChoice(run, run.config.model, { question, choices, answer })

  if (index === undefined) return { kind: 'done', port: 'default', outputs: { optionId: 'other', optionContent: answer, ...toTalk(state) } }
  const outputs = { optionId: String.fromCharCode(LETTER_A + index), optionContent: choices[index] ?? '', ...toTalk(state) }
  return { kind: 'done', port: options.kind === 'static' ? `branch_${index}` : 'branch_0', outputs }
}

const LETTER_A = 65

async function takeAnswer(run: NodeRun<QuestionConfig>, state: QuestionState): Promise<NodeResult> {
  const { model, extracts, maxAnswers, persona } = run.config
  const answered = { [RESPONSE]: state.answers.at(-1) ?? '', ...toTalk(state) }
  const fields = extracts ? run.node.outputs.filter(({ name }) => name !== RESPONSE) : []
  if (fields.length === 0) return { kind: 'done', outputs: answered }

  const found = await extractFields(run, { fields, model, persona: renderTemplate(persona, run.inputs) }, state)
  if (found.kind === 'fields') return { kind: 'done', outputs: { ...found.values, ...answered } }
  if (state.answers.length < maxAnswers) return ask(run, state, { question: found.question, choices: [] })
  throw new NodeError(
    nodeErrors.executionFailed,
    `the question was answered ${maxAnswers} times, which is its limit, and the model still asks: ${found.question.slice(0, 200)}`,
  )
}
