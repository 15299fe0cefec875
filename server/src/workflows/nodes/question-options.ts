import type { BlockInput } from '../canvas/canvas-values.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBlockInput } from '../canvas/canvas-values.ts'
import { isRecord } from '../../lib/json-schema.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeRun } from '../engine/node-type.ts'
import { parseTemplate, renderTemplate } from '../values/template.ts'
import type { Template } from '../values/template.ts'
import { toText } from '../values/value-text.ts'
import { getModel, askModel } from './model-call.ts'
import type { ModelSettings } from './llm-settings.ts'

/** What a person may choose from: written in the canvas, or a list that comes as an input. */
export type Options = { kind: 'static'; names: Template[] } | { kind: 'dynamic'; list: BlockInput }

/** The input that holds the list of dynamic options. */
export const DYNAMIC_OPTIONS = 'dynamic_option'

/** One letter for each. */
const MAX_OPTIONS = 26

export function parseOptions(inputs: Record<string, unknown>): Options {
  if (inputs.option_type === 'dynamic')
    return { kind: 'dynamic', list: parseBlockInput(inputs.dynamic_option, `inputs.${DYNAMIC_OPTIONS}`) }

  const options = Array.isArray(inputs.options) ? inputs.options.filter(isRecord) : []
  if (options.length > MAX_OPTIONS)
    throw new CanvasProblem('inputs.options', `there are ${options.length} options: at most ${MAX_OPTIONS} can be offered`)
  return { kind: 'static', names: options.map(({ name }) => parseTemplate(typeof name === 'string' ? name : '')) }
}

export function optionPorts(options: Options): string[] {
  const count = options.kind === 'static' ? options.names.length : 1
  return [...Array.from({ length: count }, (_, index) => `branch_${index}`), 'default']
}

/** Their texts. Throws a NodeError when there is nothing to choose from, or too much. */
export function renderOptions(run: NodeRun, options: Options): string[] {
  if (options.kind === 'static') return assertSome(options.names.map((name) => renderTemplate(name, run.inputs)))

  const list = run.inputs[DYNAMIC_OPTIONS] ?? []
  const choices = assertSome(Array.isArray(list) ? list.map(toText) : [])
  if (choices.length > MAX_OPTIONS)
    throw new NodeError(
      nodeErrors.executionFailed,
      `the question has ${choices.length} options: at most ${MAX_OPTIONS} can be offered, so shorten the list`,
    )
  return choices
}

function assertSome(choices: string[]): string[] {
  if (choices.length > 0) return choices
  throw new NodeError(nodeErrors.emptyOptions, 'the question has no options to choose from: give its list at least one')
}

/** The chosen option's place; undefined for none of them. A model is asked only when the answer is not the text of an option. */
export async function findChoice(
  run: NodeRun,
  settings: ModelSettings,
  { question, choices, answer }: Chosen,
): Promise<number | undefined> {
  const same = choices.indexOf(answer)
  if (same >= 0) return same

  const model = await getModel(run, settings.modelType)
  const list = choices.map((name, index) => `${index}: ${JSON.stringify(name)}`).join('\n')
  const { text } = await askModel(run, {
    ...{ model, parameters: settings.parameters },
    messages: [
      { role: 'system', content: `${MATCH_RULES}\n\n${list}` },
      { role: 'user', content: `Question: ${question}\nAnswer: ${answer}` },
    ],
  })
  const index = Number(/-?\d{1,9}/.exec(text)?.[0])
  if (index === -1 || choices[index] !== undefined) return index === -1 ? undefined : index
  run.warn(`the model matched the answer to no option that there is: ${text.slice(0, 200)}`)
  return undefined
}

type Chosen = { question: string; choices: string[]; answer: string }

const MATCH_RULES = `A person was asked to choose one of the options below and answered in words of their own.
Say which option the answer means: reply with the number of that option alone, or with -1 when it means none of them.`
