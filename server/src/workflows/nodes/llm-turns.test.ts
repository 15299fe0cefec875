import { expect, test } from 'vitest'
import { TOOL, callsWeather, done, event, newsSkill, startAgent, waits } from '../../../test/support/agent-node.ts'
import { answers, calls, fails, says } from '../../../test/support/fake-provider.ts'
import { outputsOf, streamingOf, waitingOf } from '../../../test/support/model-node.ts'
import { NodeError } from '../engine/node-error.ts'
import type { WorkflowResult } from '../engine/node-type.ts'
import { createTextStream } from '../engine/text-stream.ts'
import { toText } from '../values/value-text.ts'
import type { Value, ValueObject } from '../values/value.ts'

test('a model that never stops calling tools is stopped after twelve steps', async () => {
  const { provider, run, workflowCalls } = await startAgent(callsWeather())

  await expect(run()).rejects.toMatchObject({ name: 'NodeError', message: expect.stringContaining('12 steps') })
  expect(provider.requests).toHaveLength(6)
  expect(workflowCalls).toHaveLength(5)
  expect(new Set(workflowCalls.map(({ key }) => key)).size).toBe(5)
})

test('an answer in the eleventh step is in time', async () => {
  const { run } = await startAgent([callsWeather(), callsWeather(), callsWeather(), callsWeather(), callsWeather(), says('at last')])

  const { result } = await run()

  expect(outputsOf(result)).toEqual({ output: 'at last' })
})

test('a model that calls too much at once is stopped before anything is called', async () => {
  const many = answers(Array.from({ length: 17 }, (_, index) => calls(TOOL, {}, `c${index}`)))
  const { run, workflowCalls } = await startAgent(many)

  await expect(run()).rejects.toThrow('at most 16')
  expect(workflowCalls).toEqual([])
})

test('without skills a call of the model is not executed', async () => {
  const { run } = await startAgent(answers(['hm', calls('x', {})]), { workflows: [] })

  const { result } = await run()

  expect(outputsOf(result)).toEqual({ output: 'hm' })
})

test('a workflow that answers people answers in the place of the model', async () => {
  const { provider, run } = await startAgent(callsWeather(), { callWorkflow: async () => done({ output: 'Blue sky.' }, true) })

  expect(outputsOf((await run()).result)).toEqual({ output: 'Blue sky.' })
  expect(outputsOf((await run({ streaming: true })).result)).toEqual({ output: 'Blue sky.' })
  expect(provider.requests).toHaveLength(2)
})

function streamingWorkflow() {
  const stream = createTextStream()
  const finished = Promise.withResolvers<ValueObject>()
  const result: WorkflowResult = { kind: 'streaming', streams: { output: stream }, finished: finished.promise }
  return { stream, finished, result }
}

test('a workflow that streams its answer streams in the place of the model', async () => {
  const { stream, finished, result: writing } = streamingWorkflow()
  const { run } = await startAgent(answers(['One moment. ', calls(TOOL, {})]), { callWorkflow: async () => writing, streaming: true })

  const { result } = await run()
  stream.push('Blue ')
  stream.push('sky.')
  stream.end()
  finished.resolve({ output: 'Blue sky.' })

  const streaming = streamingOf(result)
  expect(await Array.fromAsync(streaming.streams.output?.pieces() ?? [])).toEqual(['Blue ', 'sky.'])
  expect(await streaming.finished).toEqual({ output: 'Blue sky.' })
})

test('where nobody reads along, the node waits for a workflow that streams', async () => {
  const { finished, result: writing } = streamingWorkflow()
  const { run } = await startAgent(callsWeather(), { callWorkflow: async () => writing })
  finished.resolve({ output: 'Blue sky.' })

  expect(outputsOf((await run()).result)).toEqual({ output: 'Blue sky.' })
})

test('a tool that waits makes the node wait; when it is answered the model is not asked again', async () => {
  const { provider, run, workflowCalls } = await startAgent([callsWeather(), says('final answer')])

  const first = await run({ callWorkflow: async () => waits('e1') })
  expect(waitingOf(first.result).events).toEqual([event('e1')])
  expect(provider.requests).toHaveLength(1)

  const { saved } = first.report
  const again = await run({ saved, callWorkflow: async () => waits('e1') })
  expect(waitingOf(again.result).events).toEqual([event('e1')])

  const second = await run({ saved, answer: undefined, callWorkflow: async () => done({ sky: 'grey' }) })
  expect(outputsOf(second.result)).toEqual({ output: 'final answer' })
  expect(provider.requests).toHaveLength(2)
  expect(provider.lastRequest.body.messages.at(-1)).toMatchObject({ role: 'tool', content: '{"sky":"grey"}' })
  expect(new Set(workflowCalls.map(({ key }) => key)).size).toBe(1)
})

test('of several calls only the one that waits is made again', async () => {
  const three = answers([calls(TOOL, { city: 'A' }, 'a'), calls(TOOL, { city: 'B' }, 'b'), calls('top_news', {}, 'n')])
  const { provider, run, workflowCalls } = await startAgent([three, says('final answer')], { plugins: [newsSkill()] })

  const first = await run({ callWorkflow: async ({ inputs }) => (inputs.city === 'B' ? waits('e1') : done({ sky: 'A' })) })
  expect(waitingOf(first.result).events).toEqual([event('e1')])

  await run({ saved: first.report.saved, callWorkflow: async () => done({ sky: 'B' }) })

  expect(workflowCalls.map(({ inputs }) => inputs.city)).toEqual(['A', 'B', 'B'])
  expect(workflowCalls[1]?.key).toBe(workflowCalls[2]?.key)
  expect(workflowCalls[0]?.key).not.toBe(workflowCalls[1]?.key)
  expect(provider.lastRequest.body.messages.slice(2)).toEqual([
    { role: 'tool', tool_call_id: 'a', content: '{"sky":"A"}' },
    { role: 'tool', tool_call_id: 'b', content: '{"sky":"B"}' },
    { role: 'tool', tool_call_id: 'n', content: '{"data":"ok","raw":"x"}' },
  ])
})

test('two tools that wait give both events, in the order of their calls', async () => {
  const two = answers([calls(TOOL, { city: 'A' }, 'a'), calls(TOOL, { city: 'B' }, 'b')])
  const { run } = await startAgent(two)

  const { result } = await run({ callWorkflow: async ({ inputs }) => waits(toText(inputs.city ?? null)) })

  expect(waitingOf(result).events.map(({ id }) => id)).toEqual(['A', 'B'])
})

test.each([['whole'], ['streamed']])('waiting comes before a %s answer in the place of the model', async (kind) => {
  const two = answers([calls(TOOL, { city: 'A' }, 'a'), calls(TOOL, { city: 'B' }, 'b')])
  const { provider, run } = await startAgent(two)
  const streaming = streamingWorkflow()
  streaming.finished.resolve({ output: 'A says' })
  const answered = kind === 'whole' ? done({ output: 'A says' }, true) : streaming.result

  const first = await run({ callWorkflow: async ({ inputs }) => (inputs.city === 'A' ? answered : waits('e1')) })
  expect(waitingOf(first.result).events).toEqual([event('e1')])

  const second = await run({
    saved: first.report.saved,
    callWorkflow: async ({ inputs }) => (inputs.city === 'A' ? done({ output: 'A says' }, true) : done({ sky: 'B' })),
  })
  expect(outputsOf(second.result)).toEqual({ output: 'A says' })
  expect(provider.requests).toHaveLength(1)
})

test('after a crash the model is not asked again for what it has said', async () => {
  const { provider, run, workflowCalls } = await startAgent([callsWeather(), says('final answer')])
  const saved: Value = [
    {
      said: '',
      calls: [
        { id: 'c1', name: TOOL, arguments: '{"city":"A"}', result: '{"sky":"blue"}' },
        { id: 'c2', name: TOOL, arguments: '{"city":"B"}', result: null },
      ],
    },
  ]
  provider.script = says('final answer')

  const { result } = await run({ saved })

  expect(outputsOf(result)).toEqual({ output: 'final answer' })
  expect(provider.requests).toHaveLength(1)
  expect(workflowCalls.map(({ inputs }) => inputs)).toEqual([{ city: 'B' }])
})

test('a model that is asked again after a crash and calls the same, calls under the same key', async () => {
  const { run, workflowCalls } = await startAgent([
    callsWeather({ city: 'A' }, 'x'),
    says('ok'),
    callsWeather({ city: 'A' }, 'y'),
    says('ok'),
    callsWeather({ city: 'B' }),
    says('ok'),
  ])

  await run()
  await run()
  await run()

  const [first, second, other] = workflowCalls.map(({ key }) => key)
  expect(second).toBe(first)
  expect(other).not.toBe(first)
})

test('next to workflows, what is said before a call is no part of the answer', async () => {
  const { run } = await startAgent([answers(['Let me see.', calls(TOOL, {})]), says('It is ', 'blue.')])

  const { streams, finished } = streamingOf((await run({ streaming: true })).result)

  expect(await Array.fromAsync(streams.output?.pieces() ?? [])).toEqual(['It is ', 'blue.'])
  expect(await finished).toEqual({ output: 'It is blue.' })
})

test('next to plugins, what is said is streamed at once, calls or not', async () => {
  const { run } = await startAgent([answers(['Let me see.', calls('top_news', {})]), says('All ', 'quiet.')], {
    workflows: [],
    plugins: [newsSkill()],
  })

  const first = await run({ streaming: true })

  const { streams, finished } = streamingOf(first.result)
  expect(await Array.fromAsync(streams.output?.pieces() ?? [])).toEqual(['Let me see.', '\n\n', 'All ', 'quiet.'])
  expect(await finished).toEqual({ output: 'Let me see.\n\nAll quiet.' })
  expect(outputsOf((await run({ saved: first.report.saved, streaming: false })).result)).toEqual({ output: 'All quiet.' })

  // after a crash it is there again
  const resumed = streamingOf((await run({ saved: first.report.saved, streaming: true })).result)
  expect(await resumed.finished).toEqual({ output: 'Let me see.\n\nAll quiet.' })
})

test('a provider that fails after a tool was called fails the node, not a stream', async () => {
  const { run } = await startAgent([callsWeather(), fails(500)])

  await expect(run({ streaming: true })).rejects.toBeInstanceOf(NodeError)
})

test('several outputs are read from a workflow that answers, too', async () => {
  const { run } = await startAgent(callsWeather(), {
    outputs: [
      { name: 'sky', type: 'string' },
      { name: 'degrees', type: 'integer' },
    ],
    callWorkflow: async () => done({ output: '{"sky":"blue","degrees":"20"}' }, true),
  })

  expect(outputsOf((await run()).result)).toEqual({ sky: 'blue', degrees: 20 })
})
