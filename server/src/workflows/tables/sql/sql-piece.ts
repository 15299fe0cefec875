import type { BoundValue } from '../column-values.ts'
import { toBound } from '../column-values.ts'
import type { FieldType } from '../user-table.ts'
import type { SqlLiteral } from './sql-tree.ts'

/** SQL as a database gets it. The text is made of our own words, names and digits alone: every text of a user is in `values`. */
export type SqlPiece = { text: string; values: BoundValue[] }

export type SqlType = FieldType | 'unknown'

/** The piece of an expression. `literal` is set for one that is nothing else. */
export type TypedPiece = SqlPiece & { type: SqlType; literal?: SqlLiteral }

/** Fills pieces into words of ours. */
export function sqlPiece(texts: TemplateStringsArray, ...parts: SqlPiece[]): SqlPiece {
  return {
    text: texts.reduce((whole, text, index) => `${whole}${parts[index - 1]?.text ?? ''}${text}`),
    values: parts.flatMap(({ values }) => values),
  }
}

/** @NOTE only for words and names that are made here. */
export const ownWords = (text: string): SqlPiece => ({ text, values: [] })

export const boundPiece = (value: BoundValue): SqlPiece => ({ text: '?', values: [value] })

export const joinPieces = (pieces: SqlPiece[], separator: string): SqlPiece => ({
  text: pieces.map(({ text }) => text).join(separator),
  values: pieces.flatMap(({ values }) => values),
})

export function literalPiece(literal: SqlLiteral): TypedPiece {
  if (literal === null) return { ...ownWords('null'), type: 'unknown', literal }
  if (typeof literal === 'string') return { ...boundPiece(literal), type: 'text', literal }
  if (typeof literal === 'boolean') return { ...ownWords(literal ? '1' : '0'), type: 'boolean', literal }
  return typeof literal === 'bigint'
    ? { ...ownWords(`(${literal})`), type: 'integer', literal }
    : { ...ownWords(`(${printDouble(literal)})`), type: 'float', literal }
}

/** @NOTE with an exponent: without one MySQL computes with decimals, which come back as texts */
function printDouble(number: number): string {
  const digits = Number.isFinite(number) ? String(number) : '0'
  return digits.includes('e') ? digits : `${digits}e0`
}

/** A literal that stands beside something of a type becomes one of that type, so that both databases compare the same. */
export function fitLiteral(piece: TypedPiece, type: SqlType): TypedPiece {
  const { literal } = piece
  if (literal === undefined || literal === null || type === 'unknown') return piece

  const fitted = type === 'integer' || type === 'float' ? toNumeric(literal) : toBound(literal, type)
  if (fitted === undefined || fitted === null) return piece
  return typeof fitted === 'string' ? { ...boundPiece(fitted), type, literal } : { ...literalPiece(fitted), type, literal }
}

/** A text of digits as the number that it stands for; undefined for all else. */
function toNumeric(literal: SqlLiteral) {
  return typeof literal === 'string' ? (toBound(literal, 'integer') ?? toBound(literal, 'float')) : undefined
}
