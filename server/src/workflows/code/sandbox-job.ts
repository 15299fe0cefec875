import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { ValueObject } from '../values/value.ts'
import { codeLimits } from './code-limits.ts'

/**
 * What a language is given to run. It answers with the JSON text `{"result": …}` or `{"error": …, "line": …, "printed": …}`,
 * and rejects with a NodeError or with the signal's reason, when everything it started is gone.
 */
export type SandboxJob = { code: string; params: ValueObject; timeoutMs: number; signal: AbortSignal }

/** JSON text. `encode` says what becomes of integers that JavaScript would round. */
export function encodeParams(params: ValueObject, encode: (integer: bigint) => unknown): string {
  const text = JSON.stringify(params, (_name, value: unknown) => (typeof value === 'bigint' ? encode(value) : value))
  if (Buffer.byteLength(text) > codeLimits.paramsBytes)
    throw new NodeError(nodeErrors.codeFailed, `the inputs of the code have more than ${codeLimits.paramsBytes / 1_000_000} MB of JSON`)
  return text
}
