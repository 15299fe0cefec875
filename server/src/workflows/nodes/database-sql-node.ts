import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings, parseFields } from '../canvas/canvas-values.ts'
import type { NodeType } from '../engine/node-type.ts'
import { parseTemplate, printPart, renderPart } from '../values/template.ts'
import type { Template, TemplatePart } from '../values/template.ts'
import type { Value, ValueObject } from '../values/value.ts'
import { toDatabaseResult } from './database-result.ts'
import { parseTableId } from './database-settings.ts'

type SqlConfig = { tableId: string; parts: SqlPart[] }

/** A part of the text, and whether it is bound instead of being put into the SQL. */
type SqlPart = { part: TemplatePart; isBound: boolean }

/** Runs a statement that the builder has written. */
export const databaseSqlNode: NodeType<SqlConfig> = {
  code: '12',
  name: 'Database',
  fillsInputs: true,
  fillsOutputs: true,
  hasEffects: true,
  parse(node) {
    const { sql } = node.inputs
    if (typeof sql !== 'string' || sql.trim() === '') throw new CanvasProblem('inputs.sql', 'must be an SQL statement')
    const config = { tableId: parseTableId(node), parts: findBoundParts(parseTemplate(sql)) }
    return {
      config,
      inputs: parseBindings(node.inputs.inputParameters, 'inputs.inputParameters'),
      outputs: parseFields(node.outputs, 'outputs'),
    }
  },
  async run(run) {
    const { sql, bound } = writeSql(run.config.parts, run.inputs)
    return toDatabaseResult(run, await run.services.tables.execute(run.config.tableId, sql, bound))
  },
}

/** A placeholder alone in quotes or backticks is bound, and loses them. */
function findBoundParts({ parts }: Template): SqlPart[] {
  const bound = new Set<number>()
  for (const [index, part] of parts.entries()) {
    // a quote that ends one does not begin the next
    const before = textAt(parts, index - 1).slice(bound.has(index - 2) ? 1 : 0)
    const quote = before.at(-1)
    const isQuoted = (quote === "'" || quote === '`') && textAt(parts, index + 1).startsWith(quote)
    if (part.kind === 'placeholder' && isQuoted) bound.add(index)
  }
  return parts.map((part, index) => {
    if (part.kind !== 'text') return { part, isBound: bound.has(index) }
    const end = part.text.length - (bound.has(index + 1) ? 1 : 0)
    return { part: { kind: 'text', text: part.text.slice(bound.has(index - 1) ? 1 : 0, end) }, isBound: false }
  })
}

function textAt(parts: TemplatePart[], index: number): string {
  const part = parts[index]
  return part?.kind === 'text' ? part.text : ''
}

/**
 * @NOTE what is not bound is put in as text: whoever gives the values can say anything that the builder could. What the tables
 * take is another matter, see `tables/sql`: the statement reaches no other tables than the owner's.
 */
function writeSql(parts: SqlPart[], inputs: ValueObject): { sql: string; bound: string[] } {
  const bound: string[] = []
  const texts = parts.map(({ part, isBound }) => {
    const text = renderPart(part, inputs, { print: printForSql })
    if (!isBound) return text
    bound.push(text)
    return '?'
  })
  return { sql: texts.join(''), bound }
}

function printForSql(value: Value): string {
  return typeof value === 'boolean' ? String(Number(value)) : printPart(value)
}
