import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings } from '../canvas/canvas-values.ts'
import { codeLimits } from '../code/code-limits.ts'
import type { CodeJob } from '../code/code-runner.ts'
import type { NodeType } from '../engine/node-type.ts'
import { convertFields } from '../values/convert-value.ts'

type CodeConfig = Pick<CodeJob, 'language' | 'code'>

/** Runs what the builder wrote. It reaches nothing outside, so that a crash may repeat it. */
export const codeNode: NodeType<CodeConfig> = {
  code: '5',
  name: 'Code',
  fillsInputs: true,
  fillsOutputs: true,
  parse: ({ inputs }) => ({
    config: { language: parseLanguage(inputs.language), code: parseCode(inputs.code) },
    inputs: parseBindings(inputs.inputParameters, 'inputs.inputParameters'),
  }),
  async run({ config, inputs, node, services, signal, warn }) {
    const result = await services.code.run({ ...config, params: inputs, signal })
    const { values, warnings } = convertFields(result, node.outputs)
    for (const warning of warnings) warn(warning)
    return { kind: 'done', outputs: values }
  },
}

/** The editor's numbers. TypeScript and JavaScript are one. */
const languages = new Map<unknown, CodeConfig['language']>([
  ['1', 'javascript'],
  ['3', 'python'],
  ['5', 'javascript'],
])

function parseLanguage(raw: unknown): CodeConfig['language'] {
  const language = languages.get(String(raw))
  if (!language) throw new CanvasProblem('inputs.language', `must be 3 (Python) or 5 (JavaScript, TypeScript), not ${JSON.stringify(raw)}`)
  return language
}

function parseCode(raw: unknown): string {
  if (typeof raw !== 'string' || raw.trim() === '') throw new CanvasProblem('inputs.code', 'must be the code of the node')
  if (raw.length > codeLimits.sourceChars)
    throw new CanvasProblem('inputs.code', `has ${raw.length} characters: at most ${codeLimits.sourceChars} are taken`)
  return raw
}
