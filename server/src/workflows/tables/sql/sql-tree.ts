/** The SQL that workflows may use, as it is read: nothing else can be said in these types. */
export type SqlStatement = SelectStatement | InsertStatement | UpdateStatement | DeleteStatement

export type SelectStatement = {
  kind: 'select'
  with: { name: string; select: SelectStatement }[]
  /** The first and what is united with it. */
  parts: SelectPart[]
  orderBy: OrderItem[]
  limit?: SqlLimit
}

export type SelectPart = {
  /** How it is joined to the parts before it; for the first one of no meaning. */
  keepsRepeats: boolean
  isDistinct: boolean
  items: SelectItem[]
  from: TableSource[]
  where?: SqlExpression
  groupBy: SqlExpression[]
  having?: SqlExpression
}

/** `all` is a star. `name` is what the column of the result is called. */
export type SelectItem = { kind: 'all'; table?: string } | { kind: 'value'; value: SqlExpression; name: string; alias?: string }

export type TableSource = {
  join: 'inner' | 'left'
  source: { kind: 'table'; name: string } | { kind: 'select'; select: SelectStatement }
  alias?: string
  on?: SqlExpression
}

export type OrderItem = { value: SqlExpression; isAscending: boolean }
export type SqlLimit = { count: number; offset: number }

export type InsertStatement = { kind: 'insert'; table: string; columns?: string[]; rows: SqlExpression[][] }
export type UpdateStatement = { kind: 'update'; values: { column: string; value: SqlExpression }[] } & Target
export type DeleteStatement = { kind: 'delete' } & Target
type Target = { table: string; alias?: string; where?: SqlExpression; orderBy: OrderItem[]; limit?: SqlLimit }

export type SqlExpression =
  | { kind: 'literal'; value: SqlLiteral }
  | { kind: 'column'; table?: string; name: string }
  | { kind: 'arithmetic'; operator: ArithmeticOperator; left: SqlExpression; right: SqlExpression }
  | { kind: 'negative'; of: SqlExpression }
  | { kind: 'compare'; operator: CompareOperator; left: SqlExpression; right: SqlExpression }
  | { kind: 'logic'; operator: 'and' | 'or'; terms: SqlExpression[] }
  | { kind: 'not'; of: SqlExpression }
  | { kind: 'is'; of: SqlExpression; what: 'null' | 'true' | 'false'; isNegated: boolean }
  | { kind: 'in'; of: SqlExpression; list: SqlExpression[] | SelectStatement; isNegated: boolean }
  | { kind: 'between'; of: SqlExpression; low: SqlExpression; high: SqlExpression; isNegated: boolean }
  | { kind: 'like'; of: SqlExpression; pattern: SqlExpression; isNegated: boolean }
  | { kind: 'case'; of?: SqlExpression; branches: { when: SqlExpression; then: SqlExpression }[]; otherwise?: SqlExpression }
  | { kind: 'call'; name: string; args: SqlExpression[]; isDistinct: boolean; isStar: boolean }
  | { kind: 'cast'; of: SqlExpression; to: CastType }
  | { kind: 'exists'; select: SelectStatement }
  | { kind: 'select'; select: SelectStatement }

export type SqlLiteral = string | number | bigint | boolean | null
export const arithmeticOperators = ['+', '-', '*', '/', '%'] as const
export type ArithmeticOperator = (typeof arithmeticOperators)[number]
export const compareOperators = ['=', '!=', '<', '<=', '>', '>='] as const
export type CompareOperator = (typeof compareOperators)[number]
export type CastType = 'integer' | 'float' | 'text'
