import { isRecord } from '../../lib/json-schema.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBinding, parseBindings } from '../canvas/canvas-values.ts'
import type { NodeRun, NodeType } from '../engine/node-type.ts'
import { parseTemplate, printPart, renderTemplate } from '../values/template.ts'
import type { Template } from '../values/template.ts'
import { toText } from '../values/value-text.ts'
import { fieldOf } from '../values/value.ts'
import type { Value } from '../values/value.ts'

type TextConfig =
  | { method: 'concat'; template: Template; separator: string }
  /** One delimiter after the other. */
  | { method: 'split'; delimiters: string[] }

/** Puts texts together, or takes one apart. */
export const textNode: NodeType<TextConfig> = {
  code: '15',
  name: 'Text',
  fillsInputs: true,
  fillsOutputs: false,
  parse: ({ inputs }) => ({ config: parseConfig(inputs), inputs: parseBindings(inputs.inputParameters, 'inputs.inputParameters') }),
  async run(run) {
    const { config } = run
    const output = config.method === 'concat' ? concat(run, config) : split(toText(fieldOf(run.inputs, 'String') ?? ''), config.delimiters)
    return { kind: 'done', outputs: { output } }
  },
}

function concat({ inputs, isSkipped }: NodeRun, { template, separator }: TextConfig & { method: 'concat' }): string {
  return renderTemplate(template, inputs, {
    isSkipped,
    print: (value) => (Array.isArray(value) ? value.map(printPart).join(separator) : printPart(value)),
  })
}

/** Empty pieces stay. An empty delimiter stands between all characters. */
function split(text: string, delimiters: string[]): string[] {
  return delimiters.reduce<string[]>((pieces, delimiter) => pieces.flatMap((piece) => splitOnce(piece, delimiter)), [text])
}

const splitOnce = (text: string, delimiter: string): string[] => (delimiter === '' ? Array.from(text) : text.split(delimiter))

function parseConfig(inputs: Record<string, unknown>): TextConfig {
  const { method } = inputs
  if (method === 'concat') {
    const at = 'inputs.concatParams'
    const template = readLiteral(inputs.concatParams, 'concatResult', at)
    return {
      method,
      template: parseTemplate(toText(template ?? '')),
      separator: toText(readLiteral(inputs.concatParams, 'arrayItemConcatChar', at) ?? ''),
    }
  }
  if (method !== 'split') throw new CanvasProblem('inputs.method', `must be concat or split, not ${JSON.stringify(method)}`)

  const delimiters = readLiteral(inputs.splitParams, 'delimiters', 'inputs.splitParams')
  if (!Array.isArray(delimiters) || delimiters.length === 0)
    throw new CanvasProblem('inputs.splitParams', 'needs delimiters: a list of texts to split at')
  return { method, delimiters: delimiters.map(toText) }
}

/** @NOTE only what is asked for is read: the other params are there for the editor */
function readLiteral(params: unknown, name: string, at: string): Value | undefined {
  const list: unknown[] = Array.isArray(params) ? params : []
  const index = list.findIndex((param) => isRecord(param) && param.name === name)
  if (index < 0) return undefined

  const { source } = parseBinding(list[index], `${at}[${index}]`)
  if (source.from !== 'literal') throw new CanvasProblem(`${at}[${index}]`, `${name} must be a literal`)
  return source.value
}
