import { isDatabaseUnavailable } from '../../db/database.ts'
import { SQLITE_OVERSIZE, SQLITE_OVERTIME } from '../../db/sqlite-functions.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'

/** What a database says is not passed on: it is about names that are not the builder's. What is no statement's fault stays as it is. */
export function toNodeError(cause: unknown): unknown {
  if (!(cause instanceof Error) || cause instanceof NodeError) return cause
  const code = codeOf(cause)
  if (code === undefined && !isOwnLimit(cause)) return cause
  return new NodeError(nodeErrors.executionFailed, explain(cause, code), { cause })
}

/** Another statement had the rows, or another process the file. */
export function isCollision(cause: unknown): boolean {
  const code = cause instanceof Error ? codeOf(cause) : undefined
  return code === 'ER_LOCK_DEADLOCK' || code?.startsWith('SQLITE_BUSY') === true
}

/** @NOTE to the driver of MySQL the errors that only MariaDB has are nameless. */
function codeOf(cause: Error): string | undefined {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  if ('sqlState' in cause && 'errno' in cause) return code ?? String(Number(cause.errno))
  return code?.startsWith('SQLITE_') ? code : undefined
}

const isOwnLimit = ({ message }: Error): boolean => message === SQLITE_OVERTIME || message === SQLITE_OVERSIZE

function explain(cause: Error, code = ''): string {
  if (isDatabaseUnavailable(cause)) return 'the database is busy or away: try again'
  if (cause.message === SQLITE_OVERTIME || overtimeCodes.has(code))
    return 'the statement took too long and was stopped: read less, or join fewer rows'
  if (cause.message === SQLITE_OVERSIZE || oversizeCodes.has(code)) return 'a value became too large: texts can have 1000000 characters'
  if (/^ER_.*DENIED/.test(code))
    return 'the server may not make tables: its operator has to grant it CREATE, ALTER and DROP on its database'
  if (typeCodes.has(code)) return 'a value does not fit the type of its field'
  return 'the database refused the statement: check that its functions get what they can work with'
}

const overtimeCodes = new Set(['1969', 'ER_STATEMENT_TIMEOUT', 'ER_QUERY_TIMEOUT', 'ER_QUERY_INTERRUPTED'])
const oversizeCodes = new Set(['SQLITE_TOOBIG', 'ER_NET_PACKET_TOO_LARGE', 'ER_WARN_ALLOWED_PACKET_OVERFLOWED', 'ER_DATA_TOO_LONG'])
const typeCodes = new Set([
  ...['SQLITE_CONSTRAINT_DATATYPE', 'SQLITE_MISMATCH', 'ER_TRUNCATED_WRONG_VALUE', 'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD'],
  ...['ER_WARN_DATA_OUT_OF_RANGE', 'ER_DATA_OUT_OF_RANGE', 'WARN_DATA_TRUNCATED', 'ER_WRONG_VALUE', 'ER_BAD_DATA'],
])
