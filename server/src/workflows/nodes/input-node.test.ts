import { expect, test } from 'vitest'
import { outputsOf, runContext, waitingOf } from '../../../test/support/model-node.ts'
import { runNode } from '../../../test/support/node-run.ts'
import type { RunContext } from '../engine/node-services.ts'
import { nodeErrors } from '../engine/node-error.ts'
import { inputNode } from './input-node.ts'

const outputSchema = JSON.stringify([
  { type: 'string', name: 'input', required: false },
  { type: 'object', name: 'obj', schema: [{ type: 'string', name: 'field1' }] },
  { type: 'list', name: 'inputArr', schema: { type: 'float' } },
])

const ask = (schema: unknown = outputSchema) => runNode(inputNode, { id: '154951', inputs: { outputSchema: schema } })

async function answer(text: string, { schema = outputSchema, ...context }: Partial<RunContext> & { schema?: string } = {}) {
  const { report } = await ask(schema)
  return runNode(
    inputNode,
    { id: '154951', inputs: { outputSchema: schema } },
    { saved: report.saved, answer: text, services: { context: runContext(context) } },
  )
}

test('a form is asked for with its schema, as the canvas has it', async () => {
  const [event] = waitingOf((await ask()).result).events

  expect(event).toMatchObject({ type: 5, nodeId: '154951' })
  expect(event?.data).toBe(JSON.stringify({ content: outputSchema, content_type: 'form_schema' }))
})

test('a form that nobody has filled in yet waits again, with the same event', async () => {
  const { result, report } = await ask()
  const again = await runNode(inputNode, { id: '154951', inputs: { outputSchema } }, { saved: report.saved })

  expect(waitingOf(again.result).events).toEqual(waitingOf(result).events)
})

test('what was filled in is converted, and what is not in the form dropped', async () => {
  const { result, report } = await answer(
    JSON.stringify({ input: 'user input', obj: { field1: ['1', '2'], more: 1 }, inputArr: ['1.5', 'x', 2], other: true }),
  )

  expect(outputsOf(result)).toEqual({ input: 'user input', obj: { field1: '["1","2"]' }, inputArr: [1.5, 2] })
  expect(report.warnings).toHaveLength(1)
})

test('an empty form is a form', async () => {
  expect(outputsOf((await answer('{}')).result)).toEqual({})
  expect(outputsOf((await answer('{}', { schema: '' })).result)).toEqual({})
})

test('a required field must be there', async () => {
  const schema = JSON.stringify([{ type: 'string', name: 'name', required: true }])

  await expect(answer('{}', { schema })).rejects.toMatchObject({
    code: nodeErrors.missingParameter,
    message: expect.stringContaining('name'),
  })
  expect(outputsOf((await answer('{"name":null}', { schema })).result)).toEqual({ name: null })
})

test.each([['hello'], [''], ['[1]'], ['"x"'], ['null'], ['{"input":'], ['input: hello'], [`{"input":${'['.repeat(1_000_000)}`]])(
  'what is no JSON object is refused, with what is expected: %#',
  async (text) => {
    await expect(answer(text)).rejects.toMatchObject({
      ...{ name: 'NodeError', code: nodeErrors.invalidParameter },
      message: 'the input must be a JSON object with the fields input, obj, inputArr',
    })
  },
)

test('in a chat a form is filled in with lines', async () => {
  const text = ' input : 12:30 \r\nor later\ninputArr:[1, 2]\nobj：{"field1": "x"}\nunknown: y\n'

  const { result } = await answer(text, { isChatflow: true })

  expect(outputsOf(result)).toEqual({ input: '12:30 \nor later', inputArr: [1, 2], obj: null })
})

test('in a chat JSON is taken as well', async () => {
  expect(outputsOf((await answer('{"input":"x"}', { botId: '7' })).result)).toEqual({ input: 'x' })
})

test.each([['hello'], ['other: x'], [''], [':'], [`${' '.repeat(1_000_000)}x`]])(
  'in a chat, too, what names no field is refused: %#',
  async (text) => {
    await expect(answer(text, { isChatflow: true })).rejects.toMatchObject({
      message: expect.stringMatching(/name:value/),
    })
  },
)

test('a form without fields needs none in a chat', async () => {
  expect(outputsOf((await answer('go on', { schema: '[]', isChatflow: true })).result)).toEqual({})
})

const plan = (schema: unknown) =>
  inputNode.parse({ id: '1', type: '30', title: '', description: '', inputs: { outputSchema: schema }, outputs: [], blocks: [], edges: [] })

test('a schema may be JSON itself, in any spelling of its names', () => {
  expect(plan([{ Type: 'integer', Name: 'age' }])).toMatchObject({ config: { fields: [{ name: 'age', type: { kind: 'integer' } }] } })
  expect(plan(undefined)).toMatchObject({ config: { fields: [] } })
})

test.each([['{'], ['{"a":1}'], ['7'], [[{ name: 'x', type: 'tuple' }]], [{}]])('a schema that is none is refused: %j', (schema) => {
  expect(() => plan(schema)).toThrow(expect.objectContaining({ name: 'CanvasProblem' }) as Error)
})
