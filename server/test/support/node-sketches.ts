import { drawCanvas, input, params, ref, variables } from './canvas-builder.ts'
import type { CanvasJson, NodeSketch, Params, TypeFields } from './canvas-builder.ts'

/** Nodes that many canvases of tests are made of. */

/** The outputs of a node that gives one text. */
export const text = { outputs: { output: 'string' } } as const

/** A text node (15) that fills in a template. */
export const concat = (template: string, given: Params = {}): NodeSketch => ({
  params: given,
  inputs: { method: 'concat', concatParams: params({ concatResult: template }) },
  ...text,
})

/** A model (3) that is asked something and says a text. */
export const model = (sketch: NodeSketch = {}): NodeSketch => ({
  inputs: { llmParam: params({ modelType: '7', prompt: 'Where?', responseFormat: '0' }) },
  ...text,
  ...sketch,
})

/** A message (13). */
export const emits = (template: string, given: Params = {}, streamingOutput = false): NodeSketch => ({
  params: given,
  inputs: { content: input(template), streamingOutput },
})

/** What the editor writes for a question, in use or not. */
const question = {
  ...{ answer_type: 'text', option_type: 'static', limit: 3, extra_output: false, options: [{ name: '' }, { name: '' }] },
  llmParam: { modelName: 'any', modelType: 5, temperature: 0.8, topP: 0.7, maxTokens: 1024, responseFormat: 2, systemPrompt: '' },
  dynamic_option: {
    type: 'list',
    schema: { type: 'string' },
    value: { type: 'ref', content: { source: 'block-output', blockID: '', name: '' } },
  },
}

/** A question (18). */
export const asks = (words: string, settings: Record<string, unknown> = {}, sketch: NodeSketch = {}): NodeSketch => ({
  outputs: { USER_RESPONSE: 'string' },
  ...sketch,
  inputs: { ...question, question: words, ...settings },
})

/** An input form (30). */
export const form = (fields: TypeFields): NodeSketch => ({ inputs: { outputSchema: JSON.stringify(variables(fields)) }, outputs: fields })

/** A call of another workflow (9). */
export const runs = (
  workflowId: string,
  { version = '', type = 0, ...sketch }: NodeSketch & { version?: string; type?: 0 | 1 } = {},
): NodeSketch => ({
  ...sketch,
  inputs: { workflowId, workflowVersion: version, spaceId: '7', type, inputDefs: [{ name: 'a', type: 'string' }], ...sketch.inputs },
})

/** A workflow of the one node `101`; its exit gives all outputs of that as `got`, where nothing else is said. */
export const single = (
  type: number,
  node: NodeSketch,
  { entry = {}, exit = { got: ref('101', 'object') } }: { entry?: TypeFields; exit?: Params } = {},
): CanvasJson => drawCanvas().entry(entry).node('101', type, node).exit(exit).edges('entry > 101 > exit').build()
