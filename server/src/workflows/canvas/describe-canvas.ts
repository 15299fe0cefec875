import { isRecord } from '../../lib/json-schema.ts'
import type { Binding, CalledWorkflow } from '../engine/graph.ts'
import { parseBackupSettings, parseHistoryRounds, parseRawSettings, readNumber, readText } from '../nodes/llm-settings.ts'
import { parseSkills } from '../nodes/llm-tools.ts'
import { pluginNode } from '../nodes/plugin-node.ts'
import type { Field, ValueType } from '../values/value-type.ts'
import type { Canvas, CanvasNode } from './canvas-document.ts'
import { parseBindings, parseFields, plainText } from './canvas-values.ts'
import { findType, parseOutputs } from './node-outputs.ts'
import { isEntry, isExit, pruneCanvas } from './prune-canvas.ts'

/** What others need to know of a workflow without running it. */
export type CanvasDescription = {
  inputs: Field[]
  outputs: Field[]
  /** The result is a text for people, in `outputs.output`: the Exit's `terminatePlan` is `useAnswerContent`. */
  isAnswer: boolean
  /** That it calls, as steps or as tools of a model. */
  workflows: CalledWorkflow[]
  pluginIds: string[]
  /** Numbers of models, those that stand in at a retry included. */
  modelTypes: string[]
  knowledgeIds: string[]
  tableIds: string[]
  /** Earlier rounds of a conversation that its nodes want to see, at most; without what the called workflows want. */
  historyRounds: number
}

/** Nodes that are not run do not count. Throws a CanvasProblem for settings that cannot be read. */
export function describeCanvas(canvas: Canvas): CanvasDescription {
  const { nodes } = pruneCanvas(canvas).canvas
  const exit = nodes.find(isExit)
  const isAnswer = exit?.inputs.terminatePlan === 'useAnswerContent'
  const uses = nodes.flatMap((node) => [node, ...node.blocks]).map(describeNode)
  return {
    inputs: parseFields(nodes.find(isEntry)?.outputs, 'outputs'),
    outputs: isAnswer ? [answerField] : parseResult(exit, nodes),
    isAnswer,
    workflows: distinct(uses.flatMap((use) => use.workflows ?? [])),
    pluginIds: distinct(uses.flatMap((use) => use.pluginIds ?? [])),
    modelTypes: distinct(uses.flatMap((use) => use.modelTypes ?? []).filter((type) => type !== '')),
    knowledgeIds: distinct(uses.flatMap((use) => use.knowledgeIds ?? [])),
    tableIds: distinct(uses.flatMap((use) => use.tableIds ?? [])),
    historyRounds: Math.max(0, ...uses.map((use) => use.historyRounds ?? 0)),
  }
}

const answerField: Field = { name: 'output', type: { kind: 'string' }, required: false, description: '' }

function distinct<T>(values: T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}

/** Types are the declared ones; what a list or object leaves open, the output it refers to may say. */
function parseResult(exit: CanvasNode | undefined, nodes: CanvasNode[]): Field[] {
  const known = new Map(nodes.map((node) => [node.id, node]))
  return parseBindings(exit?.inputs.inputParameters, 'inputs.inputParameters').flatMap((binding) => {
    const type = toResultType(binding, known)
    return type ? [{ name: binding.name, type, required: false, description: '' }] : []
  })
}

function toResultType({ type, source }: Binding, nodes: Map<string, CanvasNode>): ValueType | undefined {
  const node = source.from === 'node' ? nodes.get(source.nodeId) : undefined
  if (!node || source.from !== 'node' || !isOpen(type)) return type

  const found = findType(parseOutputs(node), source.path)
  const says = found.kind === 'found' && (type === undefined || found.type.kind === type.kind)
  return says ? found.type : type
}

function isOpen(type: ValueType | undefined): boolean {
  if (type?.kind === 'object') return type.fields === undefined
  return type?.kind === 'list' ? isOpen(type.element) : type === undefined
}

type Uses = Partial<Omit<CanvasDescription, 'inputs' | 'outputs' | 'isAnswer'>>

function describeNode(node: CanvasNode): Uses {
  const { inputs } = node
  switch (node.type) {
    case '3':
      return describeModelNode(node)
    case '4':
      return { pluginIds: [pluginNode.parse(node).config.pluginId] }
    case '6':
      return { knowledgeIds: knowledgeOf(node), historyRounds: roundsOf(inputs.chatHistorySetting) }
    case '9':
      return { workflows: [{ workflowId: plainText(inputs.workflowId), version: plainText(inputs.workflowVersion) }] }
    case '18':
      return { modelTypes: [modelOf(node)] }
    case '22':
      return { modelTypes: [modelOf(node)], historyRounds: roundsOf(inputs.chatHistorySetting) }
    case '27':
    case '60':
      return { knowledgeIds: knowledgeOf(node) }
    default:
      return { tableIds: recordsIn(inputs.databaseInfoList).map(({ databaseInfoID }) => plainText(databaseInfoID)) }
  }
}

function describeModelNode(node: CanvasNode): Uses {
  const { llmParam, fcParam, settingOnError } = node.inputs
  const skills = parseSkills(fcParam)
  const knowledge = isRecord(fcParam) && isRecord(fcParam.knowledgeFCParam) ? fcParam.knowledgeFCParam.knowledgeList : []
  return {
    workflows: skills.workflows.map(({ workflowId, version }) => ({ workflowId, version })),
    pluginIds: skills.plugins.map(({ operation }) => operation.pluginId),
    modelTypes: [modelOf(node), parseBackupSettings(settingOnError)?.modelType ?? ''],
    knowledgeIds: recordsIn(knowledge).map(({ id }) => plainText(id)),
    historyRounds: roundsOf(llmParam),
  }
}

const modelOf = ({ inputs }: CanvasNode): string => readText(parseRawSettings(inputs.llmParam, 'inputs.llmParam'), 'modelType')

function roundsOf(raw: unknown): number {
  const settings = parseRawSettings(raw, 'inputs')
  return parseHistoryRounds(settings.settings.get('enableChatHistory'), readNumber(settings, 'chatHistoryRound'))
}

function knowledgeOf({ inputs }: CanvasNode): string[] {
  const list = parseBindings(inputs.datasetParam, 'inputs.datasetParam').find(({ name }) => name === 'datasetList')
  return list?.source.from === 'literal' && Array.isArray(list.source.value) ? list.source.value.map(plainText) : []
}

const recordsIn = (raw: unknown): Record<string, unknown>[] => (Array.isArray(raw) ? raw.filter(isRecord) : [])
