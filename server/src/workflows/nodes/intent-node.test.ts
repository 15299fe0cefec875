import { expect, test } from 'vitest'
import { fails, says } from '../../../test/support/fake-provider.ts'
import type { Script } from '../../../test/support/fake-provider.ts'
import { startModelServices } from '../../../test/support/model-node.ts'
import { runNode } from '../../../test/support/node-run.ts'
import { nodeErrors } from '../engine/node-error.ts'
import type { Value } from '../values/value.ts'
import { intentNode } from './intent-node.ts'

const literal = (content: string) => ({ type: 'string', value: { type: 'literal', content } })

const canvas = {
  llmParam: {
    ...{ modelType: 1741232583, maxTokens: 4096, temperature: 1, topP: 0.7, responseFormat: 2 },
    ...{ prompt: literal('{{query}}'), systemPrompt: literal('Think of {{topic}}.'), enableChatHistory: false },
  },
  intents: [{ name: 'buy' }, { name: 'sell "it"' }],
  mode: 'all',
  chatHistorySetting: { enableChatHistory: false, chatHistoryRound: 3 },
}

async function classify(script: Script, { query = 'hello', ...changes }: Record<string, unknown> & { query?: Value } = {}) {
  const history = [{ role: 'user', content: 'before' } as const, { role: 'assistant', content: 'said' } as const]
  const { provider, services, modelTypes } = await startModelServices(script, { history })
  const work = runNode(intentNode, { inputs: { ...canvas, ...changes } }, { services, inputs: { query, topic: 'cars' } })
  return { provider, modelTypes, work }
}

test('the intent that the model chooses is the port', async () => {
  const { provider, modelTypes, work } = await classify(says('{"classificationId":2,"reason":"wants {money}"}'), { query: 'take my car' })

  const { result } = await work

  expect(result).toEqual({ kind: 'done', port: 'branch_1', outputs: { classificationId: 2, reason: 'wants {money}' } })
  expect(modelTypes).toEqual(['1741232583'])
  expect(provider.lastRequest.body).toMatchObject({ temperature: 1, top_p: 0.7, max_tokens: 4096 })
  const [system, ...rest] = provider.lastRequest.body.messages
  expect(system?.content).toContain('1: "buy"\n2: "sell \\"it\\""\n0: ')
  expect(system?.content).toContain('Think of cars.')
  expect(rest).toEqual([{ role: 'user', content: 'take my car' }])
})

test.each([
  ['a JSON object', '{"classificationId":0,"reason":"none"}', 0, 'default'],
  ['a number as text', '{"classificationId":"1"}', 1, 'branch_0'],
  ['JSON in a fence', '```json\n{"classificationId": 1, "reason": 7}\n```', 1, 'branch_0'],
  ['JSON and more', 'Sure: {"classificationId":1} }', 1, 'branch_0'],
])('a reply may be %s', async (_name, reply, ...[classificationId, port]) => {
  const { work } = await classify(says(reply))

  expect((await work).result).toMatchObject({ outputs: { classificationId }, port })
})

test.each([
  ['1'],
  ['no idea'],
  ['{}'],
  ['{"classificationId":null}'],
  ['{"classificationId":-1}'],
  ['{"classificationId":1.5}'],
  [''],
  ['[1]'],
])('a reply that names no intent fails the node: %s', async (reply) => {
  const { work } = await classify(says(reply))

  await expect(work).rejects.toMatchObject({ name: 'NodeError', code: nodeErrors.executionFailed })
})

test('an intent that there is not counts as another one, with a warning', async () => {
  const { work } = await classify(says('{"classificationId":3}'))

  const { result, report } = await work

  expect(result).toMatchObject({ port: 'default', outputs: { classificationId: 0 } })
  expect(report.warnings).toHaveLength(1)
})

test.each([['2'], [' 2\n'], ['"2"'], ['**2**.']])('at top speed the model says a number: %s', async (reply) => {
  const { provider, work } = await classify(says(reply), { mode: 'top_speed' })

  expect((await work).result).toEqual({ kind: 'done', port: 'branch_1', outputs: { classificationId: 2 } })
  expect(provider.lastRequest.body.messages[0]?.content).not.toContain('Think of')
  expect(provider.lastRequest.body.messages[0]?.content).not.toContain('JSON')
})

test.each([['two'], ['{"classificationId":2}'], ['1 or 2'], [''], ['-1'], [' '.repeat(1_000_000)]])(
  'at top speed anything else fails the node: %#',
  async (reply) => {
    const { work } = await classify(says(reply), { mode: 'top_speed' })

    await expect(work).rejects.toMatchObject({ name: 'NodeError' })
  },
)

test('earlier rounds are shown where the node asks for them', async () => {
  const { provider, work } = await classify(says('{"classificationId":1}'), {
    chatHistorySetting: { enableChatHistory: true, chatHistoryRound: 3 },
  })
  await work

  expect(provider.lastRequest.body.messages.slice(1).map(({ content }) => content)).toEqual(['before', 'said', 'hello'])
})

test('a query may be anything', async () => {
  const { provider, work } = await classify(says('{"classificationId":1}'), { query: [true, null] })
  await work

  expect(provider.lastRequest.lastUserText).toBe('[true,null]')
})

test('a provider that fails is the failure of the node', async () => {
  const { work } = await classify(fails(429))

  await expect(work).rejects.toMatchObject({ name: 'NodeError' })
})

const plan = (inputs: Record<string, unknown>) =>
  intentNode.parse({ id: '1', type: '22', title: '', description: '', inputs, outputs: [], blocks: [], edges: [] })

test('each intent has a port, and so has none of them', () => {
  expect(plan(canvas).ports).toEqual(['branch_0', 'branch_1', 'default'])
  expect(plan({}).ports).toEqual(['default'])
  expect(plan({ intents: [{}, 'x', { name: 7 }] }).ports).toEqual(['branch_0', 'branch_1', 'default'])
})

test.each([
  ['inputs.llmParam', { llmParam: 'x' }],
  ['inputs.chatHistorySetting.chatHistoryRound', { chatHistorySetting: { enableChatHistory: true, chatHistoryRound: 'all' } }],
])('settings that cannot be read are named: %s', (path, inputs) => {
  expect(() => plan(inputs)).toThrow(expect.objectContaining({ name: 'CanvasProblem', path }) as Error)
})
