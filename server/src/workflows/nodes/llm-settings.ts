import { isRecord } from '../../lib/json-schema.ts'
import type { ModelParameters } from '../../models/model-adapter.ts'
import { canonicalKeys } from '../canvas/canvas-keys.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'

/** A model and how it is to answer. An empty `modelType` means the default model. */
export type ModelSettings = { modelType: string; parameters: ModelParameters }

/** Settings of a model by their name, texts and numbers as the canvas has them. */
export type RawModelSettings = { settings: ReadonlyMap<string, unknown>; at: string }

/** From `llmParam`: a list of params in a model node, an object in others. Absent: nothing is set. */
export function parseRawSettings(raw: unknown, at: string): RawModelSettings {
  if (raw === undefined || raw === null) return { settings: new Map(), at }
  if (Array.isArray(raw)) return { settings: new Map(raw.map((param: unknown, index) => parseParam(param, `${at}[${index}]`))), at }
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must be the settings of a model')
  return { settings: new Map(Object.entries(raw).map(([name, value]) => [name, contentOf(value)])), at }
}

/** From `settingOnError.ext`: the JSON text of an object with settings. Undefined when there is none. */
export function parseBackupSettings(settingOnError: unknown): ModelSettings | undefined {
  const ext = isRecord(settingOnError) ? settingOnError.ext : undefined
  const raw = isRecord(ext) ? ext.backupLLMParam : undefined
  if (raw === undefined || raw === null || raw === '') return undefined

  const at = 'inputs.settingOnError.ext.backupLLMParam'
  const settings: unknown = typeof raw === 'string' ? parseJson(raw, at) : raw
  return settings === null ? undefined : toModelSettings(parseRawSettings(canonicalKeys(settings), at))
}

export function toModelSettings(raw: RawModelSettings): ModelSettings {
  const maxTokens = readNumber(raw, 'maxTokens')
  return {
    modelType: readText(raw, 'modelType'),
    parameters: {
      temperature: readNumber(raw, 'temperature'),
      topP: readNumber(raw, 'topP'),
      maxTokens: maxTokens !== undefined && maxTokens >= 1 ? Math.floor(maxTokens) : undefined,
    },
  }
}

export function readText({ settings, at }: RawModelSettings, name: string): string {
  const value = settings.get(name) ?? ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  throw new CanvasProblem(`${at}.${name}`, 'must be a text')
}

/** Undefined when it is not set. */
export function readNumber(raw: RawModelSettings, name: string): number | undefined {
  const text = readText(raw, name).trim()
  const number = text === '' ? undefined : Number(text)
  if (number !== undefined && !Number.isFinite(number)) throw new CanvasProblem(`${raw.at}.${name}`, 'must be a number')
  return number
}

/** How many earlier rounds of the conversation the model gets to see. */
export function parseHistoryRounds(isEnabled: unknown, rounds: number | undefined): number {
  if (isEnabled !== true && isEnabled !== 'true') return 0
  return Math.max(0, Math.floor(rounds ?? DEFAULT_ROUNDS))
}

/** As the editor has it. */
const DEFAULT_ROUNDS = 3

/** Its declared type is not looked at: exports hold texts under any type. */
function parseParam(raw: unknown, at: string): [string, unknown] {
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must be a parameter')
  return [String(raw.name), contentOf(raw.input)]
}

/** A typed value stands for its content. */
function contentOf(raw: unknown): unknown {
  if (!isRecord(raw)) return raw
  return isRecord(raw.value) ? raw.value.content : undefined
}

function parseJson(text: string, at: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CanvasProblem(at, 'is not valid JSON')
  }
}
