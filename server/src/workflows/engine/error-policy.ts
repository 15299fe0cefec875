import { isRecord } from '../../lib/json-schema.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { convertFields } from '../values/convert-value.ts'
import { fillNulls, zeroOf } from '../values/fill-values.ts'
import type { Field } from '../values/value-type.ts'
import { isValueObject, parseValue } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import type { ErrorPolicy } from './graph.ts'
import type { NodeError } from './node-error.ts'

export const BRANCH_ERROR = 'branch_error'

const kinds = { 1: 'throw', 2: 'default', 3: 'branch' } as const
const MAX_RETRIES = 10
const MAX_TIMEOUT_MS = 86_400_000

/** From `settingOnError`. A time limit counts although the handling is switched off. */
export function parseErrorPolicy(raw: unknown): ErrorPolicy {
  if (!isRecord(raw)) return { then: 'throw', defaultText: '', retries: 0, timeoutMs: 0 }

  const defaultText = typeof raw.dataOnErr === 'string' ? raw.dataOnErr : ''
  const then = raw.switch === true ? parseKind(raw.processType, defaultText) : 'throw'
  if (then === 'default' && defaultText === '')
    throw new CanvasProblem('inputs.settingOnError.dataOnErr', 'must hold the data to go on with after an error')
  return {
    then,
    defaultText,
    retries: parseCount(raw.retryTimes, MAX_RETRIES),
    timeoutMs: parseCount(raw.timeoutMs, MAX_TIMEOUT_MS),
  }
}

function parseKind(raw: unknown, defaultText: string): ErrorPolicy['then'] {
  const kind = Number(raw ?? (defaultText === '' ? 1 : 2))
  if (kind === 1 || kind === 2 || kind === 3) return kinds[kind]
  throw new CanvasProblem('inputs.settingOnError.processType', 'must be 1, 2 or 3')
}

function parseCount(raw: unknown, max: number): number {
  const count = Number(raw ?? 0)
  return Number.isFinite(count) && count > 0 ? Math.min(Math.floor(count), max) : 0
}

/** What a failed node hands on: its default data, or only what went wrong. */
export function outputsAfter(error: NodeError, policy: ErrorPolicy, fields: Field[]): ValueObject {
  const body = { errorBody: { errorMessage: error.message, errorCode: error.code }, isSuccess: false }
  return policy.then === 'default' ? { ...defaults(policy.defaultText, fields), ...body } : body
}

/** Text that is no JSON object goes into the outputs that are texts. */
function defaults(text: string, fields: Field[]): ValueObject {
  try {
    const value = parseValue(text)
    if (isValueObject(value)) return fillNulls(convertFields(value, fields).values, fields).values
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
  }
  return Object.fromEntries(fields.map(({ name, type }) => [name, type.kind === 'string' ? text : zeroOf(type)]))
}
