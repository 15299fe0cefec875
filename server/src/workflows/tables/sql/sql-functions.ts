import type { DialectName } from '../../../db/database.ts'
import { sqlProblem } from './sql-problem.ts'
import { boundPiece, joinPieces, ownWords, sqlPiece } from './sql-piece.ts'
import type { SqlPiece, SqlType, TypedPiece } from './sql-piece.ts'

export type CallPiece = { name: string; args: TypedPiece[]; isDistinct: boolean; isStar: boolean }
export type CallContext = { dialect: DialectName; now: string }

/** A call of one of the functions below; there are no others. They answer the same on both databases. Throws a NodeError. */
export function writeCall(call: CallPiece, context: CallContext): TypedPiece {
  const aggregate = aggregates[call.name]
  if (aggregate) return writeAggregate(call, aggregate(call.args[0] ?? countedStar, context.dialect))

  const sqlFunction = functions[call.name]
  if (!sqlFunction || call.isStar || call.isDistinct)
    throw sqlProblem(`${call.name}(…) is no function of workflow SQL. There are ${Object.keys({ ...aggregates, ...functions }).join(', ')}`)
  const [min, max] = sqlFunction.takes
  if (call.args.length < min || call.args.length > max) throw sqlProblem(`${call.name} does not take ${call.args.length} arguments`)
  return sqlFunction.write(call.args, context)
}

type Aggregate = { isCount?: boolean; type: SqlType; write: (counted: SqlPiece) => SqlPiece }

const countedStar: TypedPiece = { ...ownWords('*'), type: 'unknown' }

function writeAggregate({ name, args, isDistinct, isStar }: CallPiece, { isCount, type, write }: Aggregate): TypedPiece {
  const isRight = isStar ? isCount === true && !isDistinct : args.length === 1
  if (!isRight) throw sqlProblem(`${name} takes one argument`)
  const counted = args[0] ?? countedStar
  return { ...write(isDistinct ? sqlPiece`distinct ${counted}` : counted), type }
}

/** @NOTE MySQL sums in decimals, which come back as texts: numbers of the usual kinds are made of them */
const aggregates: Record<string, (of: TypedPiece, dialect: DialectName) => Aggregate> = {
  COUNT: () => ({ isCount: true, type: 'integer', write: (counted) => sqlPiece`count(${counted})` }),
  SUM: ({ type }, dialect) => {
    const isWhole = type === 'integer' || type === 'boolean'
    if (dialect === 'sqlite') return { type: isWhole ? 'integer' : 'float', write: (counted) => sqlPiece`sum(${counted})` }
    return isWhole
      ? { type: 'integer', write: (counted) => sqlPiece`cast(sum(${counted}) as signed)` }
      : { type: 'float', write: (counted) => sqlPiece`(sum(${counted}) + 0e0)` }
  },
  AVG: (_of, dialect) => ({
    type: 'float',
    write: (counted) => (dialect === 'sqlite' ? sqlPiece`avg(${counted})` : sqlPiece`(avg(${counted}) + 0e0)`),
  }),
  MIN: ({ type }) => ({ type, write: (counted) => sqlPiece`min(${counted})` }),
  MAX: ({ type }) => ({ type, write: (counted) => sqlPiece`max(${counted})` }),
}

type SqlFunction = { takes: [number, number]; write: (args: TypedPiece[], context: CallContext) => TypedPiece }

const MANY = 100
const list = (args: SqlPiece[]): SqlPiece => joinPieces(args, ', ')
const typed = (piece: SqlPiece, type: SqlType): TypedPiece => ({ ...piece, type })
const nothing = ownWords('null')
const argument = (args: TypedPiece[], at: number): TypedPiece => args[at] ?? typed(nothing, 'unknown')

/** One that is written the same everywhere. */
function plain(word: string, takes: [number, number], type: SqlType | 'as given'): SqlFunction {
  return {
    takes,
    write: (args) => typed(sqlPiece`${ownWords(word)}(${list(args)})`, type === 'as given' ? commonType(args) : type),
  }
}

/** Told apart by dialect. */
function either(takes: [number, number], type: SqlType, write: Record<DialectName, (args: SqlPiece) => SqlPiece>): SqlFunction {
  return { takes, write: (args, { dialect }) => typed(write[dialect](list(args)), type) }
}

/** A part of a time, which is a text. */
const partOfTime = (from: number, length: number): SqlFunction => ({
  takes: [1, 1],
  write: ([time = typed(nothing, 'unknown')], { dialect }) => {
    const part = sqlPiece`substr(${time}, ${ownWords(String(from))}, ${ownWords(String(length))})`
    return typed(dialect === 'sqlite' ? sqlPiece`cast(${part} as integer)` : sqlPiece`cast(${part} as signed)`, 'integer')
  },
})

const currentTime = (chars: number): SqlFunction => ({
  takes: [0, 0],
  write: (_args, { now }) => typed(boundPiece(now.slice(0, chars)), 'time'),
})
const TIME_CHARS = 19
const DATE_CHARS = 10

const functions: Record<string, SqlFunction> = {
  ABS: plain('abs', [1, 1], 'as given'),
  ROUND: plain('round', [1, 2], 'float'),
  FLOOR: plain('floor', [1, 1], 'unknown'),
  CEIL: plain('ceil', [1, 1], 'unknown'),
  CEILING: plain('ceil', [1, 1], 'unknown'),
  MOD: { takes: [2, 2], write: (args) => typed(sqlPiece`(${argument(args, 0)} % ${argument(args, 1)})`, commonType(args)) },
  RAND: either([0, 0], 'float', { sqlite: () => ownWords('(abs(random() / 2) / 4611686018427387904e0)'), mysql: () => ownWords('rand()') }),

  LOWER: plain('lower', [1, 1], 'text'),
  LCASE: plain('lower', [1, 1], 'text'),
  UPPER: plain('upper', [1, 1], 'text'),
  UCASE: plain('upper', [1, 1], 'text'),
  TRIM: plain('trim', [1, 1], 'text'),
  LTRIM: plain('ltrim', [1, 1], 'text'),
  RTRIM: plain('rtrim', [1, 1], 'text'),
  SUBSTR: plain('substr', [2, 3], 'text'),
  SUBSTRING: plain('substr', [2, 3], 'text'),
  LEFT: { takes: [2, 2], write: (args) => typed(sqlPiece`substr(${argument(args, 0)}, 1, ${argument(args, 1)})`, 'text') },
  INSTR: {
    takes: [2, 2],
    write: (args, { dialect }) => {
      const [text, wanted] = [argument(args, 0), argument(args, 1)]
      return typed(dialect === 'sqlite' ? sqlPiece`instr(${text}, ut_short(${wanted}))` : sqlPiece`instr(${text}, ${wanted})`, 'integer')
    },
  },
  CHAR_LENGTH: either([1, 1], 'integer', { sqlite: (args) => sqlPiece`length(${args})`, mysql: (args) => sqlPiece`char_length(${args})` }),
  LENGTH: either([1, 1], 'integer', {
    sqlite: (args) => sqlPiece`length(cast(${args} as blob))`,
    mysql: (args) => sqlPiece`length(${args})`,
  }),
  CONCAT: either([1, MANY], 'text', { sqlite: (args) => sqlPiece`ut_concat(${args})`, mysql: (args) => sqlPiece`concat(${args})` }),
  REPLACE: either([3, 3], 'text', { sqlite: (args) => sqlPiece`ut_replace(${args})`, mysql: (args) => sqlPiece`replace(${args})` }),

  COALESCE: plain('coalesce', [2, MANY], 'as given'),
  IFNULL: plain('coalesce', [2, 2], 'as given'),
  NULLIF: { takes: [2, 2], write: (args) => typed(sqlPiece`nullif(${list(args)})`, argument(args, 0).type) },
  IF: {
    takes: [3, 3],
    write: (args) =>
      typed(sqlPiece`case when ${argument(args, 0)} then ${argument(args, 1)} else ${argument(args, 2)} end`, commonType(args.slice(1))),
  },
  GREATEST: {
    takes: [2, MANY],
    write: (args, { dialect }) =>
      typed(dialect === 'sqlite' ? sqlPiece`max(${list(args)})` : sqlPiece`greatest(${list(args)})`, commonType(args)),
  },
  LEAST: {
    takes: [2, MANY],
    write: (args, { dialect }) =>
      typed(dialect === 'sqlite' ? sqlPiece`min(${list(args)})` : sqlPiece`least(${list(args)})`, commonType(args)),
  },

  NOW: currentTime(TIME_CHARS),
  CURRENT_TIMESTAMP: currentTime(TIME_CHARS),
  LOCALTIMESTAMP: currentTime(TIME_CHARS),
  UTC_TIMESTAMP: currentTime(TIME_CHARS),
  CURDATE: currentTime(DATE_CHARS),
  CURRENT_DATE: currentTime(DATE_CHARS),
  DATE: { takes: [1, 1], write: (args) => typed(sqlPiece`substr(${argument(args, 0)}, 1, 10)`, 'text') },
  YEAR: partOfTime(1, 4),
  MONTH: partOfTime(6, 2),
  DAY: partOfTime(9, 2),
  HOUR: partOfTime(12, 2),
}

/** The type that all of them have, apart from those that are null. */
export function commonType(pieces: TypedPiece[]): SqlType {
  const types = new Set(pieces.filter(({ literal }) => literal !== null).map(({ type }) => type))
  const [only] = types
  if (types.size <= 1) return only ?? 'unknown'
  return [...types].every((type) => type === 'integer' || type === 'float') ? 'float' : 'unknown'
}
