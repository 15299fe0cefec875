import { expect, test } from 'vitest'
import { TOOL, callsWeather, done, newsSkill, startAgent, weather, weatherSkill } from '../../../test/support/agent-node.ts'
import { answers, calls, says } from '../../../test/support/fake-provider.ts'
import type { Answer } from '../../../test/support/fake-provider.ts'
import { errorOf, outputsOf } from '../../../test/support/model-node.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { PluginOperation } from '../plugins/workflow-plugins.ts'
import type { ValueObject } from '../values/value.ts'

test('a workflow is offered to the model, called, and its result told', async () => {
  const { provider, run, workflowCalls } = await startAgent([
    answers([calls(TOOL, { city: 'Paris', days: 2 }, 'c1')], { usage: { input: 10, output: 11 } }),
    answers(['It is blue.'], { usage: { input: 5, output: 6 } }),
  ])

  const { result, report } = await run()

  expect(outputsOf(result)).toEqual({ output: 'It is blue.' })
  expect(report.usage).toEqual({ inputTokens: 15, outputTokens: 17 })
  expect(workflowCalls).toMatchObject([{ workflowId: '70', version: 'v0.0.1', inputs: { city: 'Paris', days: 2 } }])
  expect(provider.requests[0]?.body.tools).toEqual([
    {
      type: 'function',
      function: {
        name: TOOL,
        description: 'Tells the weather.',
        parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city'] },
      },
    },
  ])
  expect(provider.lastRequest.body.messages.slice(1)).toEqual([
    {
      role: 'assistant',
      content: '',
      tool_calls: [{ id: 'c1', type: 'function', function: { name: TOOL, arguments: '{"city":"Paris","days":2}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: '{"sky":"blue"}' },
  ])
})

test('a draft is called as a draft', async () => {
  const { run, workflowCalls } = await startAgent([callsWeather(), says('ok')], { workflows: [{ ...weatherSkill(), is_draft: true }] })

  await run()

  expect(workflowCalls[0]?.version).toBe('')
})

test('what the builder hides is hidden, and defaults are filled in', async () => {
  const setting = {
    request_params: [
      { name: 'city', local_disable: true, local_default: 'Rome' },
      { name: 'days', local_disable: false, local_default: '3' },
    ],
    response_params: [{ name: 'secret', local_disable: true }],
  }
  const { provider, run, workflowCalls } = await startAgent([callsWeather({ city: 'Paris' }), says('ok')], {
    workflows: [weatherSkill(setting)],
    callWorkflow: async () => done({ sky: 'blue', secret: 42 }),
  })

  await run()

  expect(workflowCalls[0]?.inputs).toEqual({ city: 'Rome', days: 3 })
  expect(JSON.stringify(provider.requests[0]?.body.tools)).not.toContain('city')
  expect(provider.lastRequest.body.messages.at(-1)).toMatchObject({ role: 'tool', content: '{"sky":"blue"}' })
})

test('a plugin is called with what the model and the builder say', async () => {
  const seen: [PluginOperation, ValueObject][] = []
  const setting = {
    request_params: [{ name: 'lang', local_disable: true, local_default: 'en' }],
    response_params: [{ name: 'raw', local_disable: true }],
  }
  const { provider, run } = await startAgent([answers([calls('top_news', { topic: 'sport' })]), says('ok')], {
    ...{ workflows: [], plugins: [newsSkill(setting)] },
    services: {
      plugins: {
        describe: async () => ({ name: 'top_news', description: '', parameters: { type: 'object', properties: {} } }),
        async call(operation, args) {
          seen.push([operation, args])
          return { data: 'ok', raw: 'x' }
        },
      },
    },
  })

  await run()

  expect(seen).toEqual([
    [
      { pluginId: '80', apiId: '81', apiName: 'top_news' },
      { topic: 'sport', lang: 'en' },
    ],
  ])
  expect(provider.lastRequest.body.messages.at(-1)).toMatchObject({ role: 'tool', content: '{"data":"ok"}' })
})

test('tools of the same name are told apart, in letters that every provider takes', async () => {
  const { provider, run } = await startAgent(says('ok'), {
    workflows: [weatherSkill(), weatherSkill()],
    plugins: [newsSkill()],
    services: { describeWorkflow: async () => ({ ...weather, name: 'météo '.repeat(20) }) },
  })

  await run()

  const names = (provider.lastRequest.body.tools as { function: { name: string } }[]).map((tool) => tool.function.name)
  expect(new Set(names).size).toBe(3)
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
})

test.each([
  ['an unknown tool', answers([calls('sell_house', {})]), 'Error: there is no tool named sell_house'],
  ['broken arguments', callsWeather('{"city": "Par'), 'Error: the arguments of ts_weather_weather must be a JSON object'],
  ['arguments that are a list', callsWeather('["Paris"]'), 'Error: the arguments of ts_weather_weather must be a JSON object'],
  ['a million brackets', callsWeather('['.repeat(1_000_000)), 'Error: the arguments of ts_weather_weather must be a JSON object'],
])('%s is an error that the model is told', async (_name, first: Answer, told) => {
  const { provider, run, workflowCalls } = await startAgent([first, says('sorry')])

  const { result } = await run()

  expect(outputsOf(result)).toEqual({ output: 'sorry' })
  expect(workflowCalls).toEqual([])
  expect(provider.lastRequest.body.messages.at(-1)).toMatchObject({ role: 'tool', content: told })
})

test('a call without arguments has none', async () => {
  const { run, workflowCalls } = await startAgent([callsWeather(''), says('ok')])

  await run()

  expect(workflowCalls[0]?.inputs).toEqual({})
})

test('a tool that fails is an error that the model is told, and a warning', async () => {
  const { provider, run } = await startAgent([callsWeather(), says('sorry')], {
    callWorkflow: () => Promise.reject(new NodeError(nodeErrors.missingParameter, 'city is missing')),
  })

  const { report } = await run()

  expect(provider.lastRequest.body.messages.at(-1)).toMatchObject({ content: 'Error: city is missing' })
  expect(report.warnings).toEqual(['the tool ts_weather_weather failed: city is missing'])
})

test.each([
  ['a plugin that must be authorized', new NodeError(nodeErrors.pluginAuthorization, 'sign in first')],
  ['a bug', new TypeError('x is not a function')],
])('%s fails the node', async (_name, cause) => {
  const { provider, run } = await startAgent([callsWeather(), says('sorry')], { callWorkflow: () => Promise.reject(cause) })

  expect(await errorOf(run())).toBe(cause)
  expect(provider.requests).toHaveLength(1)
})

test('a cancel while a tool works ends the node', async () => {
  const stop = new AbortController()
  const { provider, run } = await startAgent([callsWeather(), says('sorry')], {
    signal: stop.signal,
    callWorkflow() {
      stop.abort(new Error('canceled'))
      return Promise.reject(new NodeError(nodeErrors.canceled, 'canceled inside'))
    },
  })

  await expect(run()).rejects.toThrow('canceled')
  expect(provider.requests).toHaveLength(1)
})

test('a result of a megabyte is cut before the model gets it', async () => {
  const { provider, run } = await startAgent([callsWeather(), says('ok')], {
    callWorkflow: async () => done({ sky: 'x'.repeat(1_000_000) }),
  })

  await run()

  const { content } = provider.lastRequest.body.messages.at(-1) ?? {}
  expect(content?.length).toBeLessThan(70_000)
})

test('knowledge cannot be used', async () => {
  const { provider, run } = await startAgent(says('ok'), { knowledge: [{ id: '1' }] })

  await expect(run()).rejects.toMatchObject({
    name: 'NodeError',
    message: expect.stringContaining('no knowledge base is configured on this server'),
  })
  expect(provider.requests).toHaveLength(0)
})

test('a tool that does not exist any more fails the node before the model is asked', async () => {
  const gone = new NodeError(nodeErrors.workflowNotFound, 'there is no workflow 70')
  const { provider, run } = await startAgent(says('ok'), { services: { describeWorkflow: () => Promise.reject(gone) } })

  expect(await errorOf(run())).toBe(gone)
  expect(provider.requests).toHaveLength(0)
})

test('skills without an id are refused when the canvas is read', async () => {
  const { run } = await startAgent(says('ok'), { workflows: [{}] })

  await expect(run()).rejects.toMatchObject({ name: 'CanvasProblem', path: 'inputs.fcParam.workflowFCParam.workflowList[0].workflow_id' })
})
