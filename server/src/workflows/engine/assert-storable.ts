import { findExcess } from '../values/value-size.ts'
import type { Value } from '../values/value.ts'
import { NodeError, nodeErrors } from './node-error.ts'

/** Throws a NodeError for what is too large, or nested too deeply, to be kept: `what` begins its message. */
export function assertStorable(value: Value, what: string): void {
  const excess = findExcess(value)
  if (excess) throw new NodeError(nodeErrors.executionFailed, `${what} ${excess}`)
}
