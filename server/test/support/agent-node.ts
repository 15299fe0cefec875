import type { NodeServices, WorkflowDescription } from '../../src/workflows/engine/node-services.ts'
import type { WorkflowCall, WorkflowResult } from '../../src/workflows/engine/node-type.ts'
import type { WaitingEvent } from '../../src/workflows/engine/waiting-event.ts'
import { llmNode } from '../../src/workflows/nodes/llm-node.ts'
import type { PluginOperation } from '../../src/workflows/plugins/workflow-plugins.ts'
import type { Field } from '../../src/workflows/values/value-type.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { answers, calls } from './fake-provider.ts'
import type { Script } from './fake-provider.ts'
import { startModelServices } from './model-node.ts'
import { runNode } from './node-run.ts'
import type { NodeRunSettings } from './node-run.ts'

const field = (name: string, kind: 'string' | 'integer' = 'string', required = false): Field => ({
  ...{ name, type: { kind }, required, description: '' },
})
export const weather: WorkflowDescription = {
  ...{ name: 'weather', description: 'Tells the weather.', inputs: [field('city', 'string', true), field('days', 'integer')] },
  ...{ outputs: [field('sky')], isAnswer: false },
}

export const weatherSkill = (fc_setting?: unknown) => ({
  workflow_id: '70',
  workflow_version: 'v0.0.1',
  plugin_id: '1',
  is_draft: false,
  fc_setting,
})
export const newsSkill = (fc_setting?: unknown) => ({
  plugin_id: '80',
  api_id: '81',
  api_name: 'top_news',
  plugin_version: '0',
  fc_setting,
})

export type AgentSetting = Omit<NodeRunSettings, 'services' | 'outputs'> & {
  services?: Partial<NodeServices>
  workflows?: unknown[]
  plugins?: unknown[]
  outputs?: unknown
  knowledge?: unknown[]
}

/** A model node with skills, its script, and workflows that answer as the test says. */
export async function startAgent(
  script: Script,
  { workflows = [weatherSkill()], plugins = [], knowledge, outputs, ...settings }: AgentSetting = {},
) {
  const { provider, services } = await startModelServices(script, {
    describeWorkflow: async () => weather,
    plugins: {
      describe: async ({ apiName }: PluginOperation) => ({
        ...{ name: apiName, description: 'News.', parameters: { type: 'object', properties: { topic: { type: 'string' } } } },
      }),
      call: async () => ({ data: 'ok', raw: 'x' }),
    },
    ...settings.services,
  })
  const workflowCalls: WorkflowCall[] = []
  const answerWorkflow = settings.callWorkflow ?? (async () => ({ kind: 'done', outputs: { sky: 'blue' }, isAnswer: false }) as const)
  const canvas = {
    outputs: outputs ?? [{ name: 'output', type: 'string' }],
    inputs: {
      llmParam: [{ name: 'prompt', input: { type: 'string', value: { type: 'literal', content: 'ask' } } }],
      fcParam: {
        workflowFCParam: { workflowList: workflows },
        pluginFCParam: { pluginList: plugins },
        knowledgeFCParam: knowledge ? { knowledgeList: knowledge } : {},
      },
    },
  }
  const run = (more: Partial<NodeRunSettings> = {}) =>
    runNode(llmNode, canvas, {
      ...settings,
      services,
      ...more,
      async callWorkflow(call) {
        workflowCalls.push(call)
        return (more.callWorkflow ?? answerWorkflow)(call)
      },
    })
  return { provider, run, workflowCalls }
}

export const TOOL = 'ts_weather_weather'
export const callsWeather = (args: Record<string, unknown> | string = { city: 'Paris' }, id = 'c1') => answers([calls(TOOL, args, id)])

export const done = (outputs: ValueObject, isAnswer = false): WorkflowResult => ({ kind: 'done', outputs, isAnswer })
export const event = (id: string): WaitingEvent => ({
  id,
  nodeId: '9',
  nodeType: '18',
  nodeTitle: 'q',
  type: 2,
  data: '{}',
  path: `100@x/${id}`,
})
export const waits = (id: string): WorkflowResult => ({ kind: 'waiting', events: [event(id)] })
