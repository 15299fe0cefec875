import { createHash } from 'node:crypto'
import { isRecord } from '../../lib/json-schema.ts'
import type { ModelTool, ModelToolCall } from '../../models/model-adapter.ts'
import { takeName } from '../../tools/tool-names.ts'
import { capText } from '../../tools/tool-output.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeRun, WorkflowResult } from '../engine/node-type.ts'
import type { TextStream } from '../engine/text-stream.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'
import type { PluginOperation } from '../plugins/workflow-plugins.ts'
import { toText } from '../values/value-text.ts'
import type { Value, ValueObject } from '../values/value.ts'
import { toObjectSchema } from './field-schema.ts'
import { parseJsonObject } from './json-reply.ts'
import { parseToolSetting, visibleResult, visibleSchema, withDefaults } from './tool-setting.ts'
import type { ToolSetting } from './tool-setting.ts'

/** `fcParam` of a model node: what its model may call. */
export type LlmSkills = { workflows: WorkflowSkill[]; plugins: PluginSkill[]; usesKnowledge: boolean }

type WorkflowSkill = { workflowId: string; version: string; setting: ToolSetting }
type PluginSkill = { operation: PluginOperation; setting: ToolSetting }

export function parseSkills(raw: unknown): LlmSkills {
  const skills = isRecord(raw) ? raw : {}
  return {
    workflows: parseList(skills.workflowFCParam, 'workflowList').map(parseWorkflowSkill),
    plugins: parseList(skills.pluginFCParam, 'pluginList').map(parsePluginSkill),
    usesKnowledge: parseList(skills.knowledgeFCParam, 'knowledgeList').length > 0,
  }
}

function parseList(raw: unknown, name: string): Record<string, unknown>[] {
  const list = isRecord(raw) ? raw[name] : undefined
  return Array.isArray(list) ? list.filter(isRecord) : []
}

function parseWorkflowSkill(raw: Record<string, unknown>, index: number): WorkflowSkill {
  const at = `inputs.fcParam.workflowFCParam.workflowList[${index}].workflow_id`
  const version = raw.is_draft !== true && typeof raw.workflow_version === 'string' ? raw.workflow_version : ''
  return { workflowId: parseId(raw.workflow_id, at), version, setting: parseToolSetting(raw.fc_setting) }
}

function parsePluginSkill(raw: Record<string, unknown>, index: number): PluginSkill {
  const at = `inputs.fcParam.pluginFCParam.pluginList[${index}]`
  const operation = {
    pluginId: parseId(raw.plugin_id, `${at}.plugin_id`),
    apiId: parseId(raw.api_id, `${at}.api_id`),
    apiName: typeof raw.api_name === 'string' ? raw.api_name : '',
  }
  return { operation, setting: parseToolSetting(raw.fc_setting) }
}

function parseId(raw: unknown, at: string): string {
  const id = typeof raw === 'number' || typeof raw === 'bigint' ? String(raw) : raw
  if (typeof id !== 'string' || id === '') throw new CanvasProblem(at, 'must be an id')
  return id
}

/** Something a node's model can call. */
export type LlmTool = ModelTool & {
  /** Whether it may have to wait for a person, or answer in the model's place: then nothing may be said before. */
  mayTakeOver: boolean
  /** Rejects with a NodeError for what the model cannot mend, or with the signal's reason. */
  call(call: ModelToolCall, place: CallPlace): Promise<ToolOutcome>
}

/** The round of tool calls, and the call's place among those of its round. */
export type CallPlace = { round: number; index: number }

export type ToolOutcome =
  | { kind: 'result'; text: string }
  /** A text for people: it is the node's answer. */
  | { kind: 'answer'; text: string }
  | { kind: 'streaming'; stream: TextStream; finished: Promise<string> }
  | { kind: 'waiting'; events: WaitingEvent[] }

export async function createTools(run: NodeRun, skills: LlmSkills): Promise<LlmTool[]> {
  if (skills.usesKnowledge)
    throw new NodeError(nodeErrors.executionFailed, 'no knowledge base is configured on this server: take the knowledge out of this node')

  const tools = await Promise.all([
    ...skills.workflows.map((skill) => createWorkflowTool(run, skill)),
    ...skills.plugins.map((skill) => createPluginTool(run, skill)),
  ])
  const taken = new Set<string>()
  return tools.map((tool) => ({
    ...tool,
    name: takeName(taken, tool.name),
    description: tool.description.slice(0, MAX_DESCRIPTION).toWellFormed(),
  }))
}

/** Some models take no more than this. */
const MAX_DESCRIPTION = 1_024

async function createWorkflowTool(run: NodeRun, { workflowId, version, setting }: WorkflowSkill): Promise<LlmTool> {
  const { name, description, inputs } = await run.services.describeWorkflow(workflowId, version)
  const schema = toObjectSchema(inputs)
  return {
    name: `ts_${name}_${name}`,
    description,
    parameters: visibleSchema(schema, setting.request),
    mayTakeOver: true,
    call: (call, place) =>
      withArguments(call, async (given) => {
        const args = withDefaults(given, schema, setting.request)
        const result = await run.callWorkflow({ workflowId, version, key: keyOf(call, place), inputs: args })
        return toOutcome(result, setting)
      }),
  }
}

/** The same call has the same key in another life of the run; what a model calls at its place when it is asked again has not. */
function keyOf({ name, arguments: args }: ModelToolCall, { round, index }: CallPlace): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([name, args]))
    .digest('hex')
  return `tool_${round}_${index}_${digest.slice(0, 16)}`
}

function toOutcome(result: WorkflowResult, { response }: ToolSetting): ToolOutcome {
  switch (result.kind) {
    case 'waiting':
      return result
    case 'done':
      if (result.isAnswer) return { kind: 'answer', text: toText(result.outputs.output ?? null) }
      return { kind: 'result', text: showResult(visibleResult(result.outputs, response)) }
    case 'streaming': {
      const stream = result.streams.output
      if (!stream) throw new Error('a workflow that streams has an output to stream')
      const finished = result.finished.then(({ output }) => toText(output ?? null))
      // another call of the round may fail before anybody waits for this one
      finished.catch(() => undefined)
      return { kind: 'streaming', stream, finished }
    }
  }
}

async function createPluginTool(run: NodeRun, { operation, setting }: PluginSkill): Promise<LlmTool> {
  const { signal } = run
  const { name, description, parameters } = await run.services.plugins.describe(operation, { signal })
  return {
    ...{ name, description, mayTakeOver: false },
    parameters: visibleSchema(parameters, setting.request),
    call: (call) =>
      withArguments(call, async (given) => {
        const args = withDefaults(given, parameters, setting.request)
        const value = await run.services.plugins.call(operation, args, { signal })
        return { kind: 'result', text: showResult(visibleResult(value, setting.response)) }
      }),
  }
}

const showResult = (value: Value): string => capText(toText(value))

/** What a model did wrong is told to it. */
async function withArguments(call: ModelToolCall, work: (args: ValueObject) => Promise<ToolOutcome>): Promise<ToolOutcome> {
  const args = parseJsonObject(call.arguments.trim() || '{}')
  return args ? work(args) : failed(`the arguments of ${call.name} must be a JSON object`)
}

export const failed = (problem: string): ToolOutcome => ({ kind: 'result', text: `Error: ${problem}` })
