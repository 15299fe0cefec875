import { isRecord } from '../../lib/json-schema.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseFields } from '../canvas/canvas-values.ts'
import type { NodeType } from '../engine/node-type.ts'
import type { TableQuery } from '../tables/user-tables.ts'
import { toDatabaseResult } from './database-result.ts'
import { parseFieldId, parseSection, parseTableId, parseWhere, toWhere } from './database-settings.ts'
import type { WhereSettings } from './database-settings.ts'

type QueryConfig = Omit<TableQuery, 'where'> & { tableId: string; where: WhereSettings | undefined }

/** Reads rows of one table. */
export const databaseQueryNode: NodeType<QueryConfig> = {
  code: '43',
  name: 'DatabaseSelect',
  fillsInputs: true,
  fillsOutputs: false,
  parse(node) {
    const at = 'inputs.selectParam'
    const section = parseSection(node, 'selectParam')
    const { settings: where, inputs } = parseWhere(section.condition, `${at}.condition`)
    const fields = parseList(section.fieldList, `${at}.fieldList`)
    const config: QueryConfig = {
      tableId: parseTableId(node),
      where,
      fields: fields.map(({ field }) => field),
      isDistinct: fields.some(({ raw }) => raw.isDistinct === true),
      orderBy: parseList(section.orderByList, `${at}.orderByList`).map(({ field, raw }) => ({ field, isAscending: raw.isAsc === true })),
      limit: parseLimit(section.limit, `${at}.limit`),
    }
    return { config, inputs, outputs: parseFields(node.outputs, 'outputs') }
  },
  async run(run) {
    const { tableId, where, ...query } = run.config
    const result = await run.services.tables.query(tableId, { ...query, where: where && toWhere(where, run.inputs) })
    return toDatabaseResult(run, result)
  },
}

function parseList(raw: unknown, at: string): { field: string; raw: Record<string, unknown> }[] {
  if (raw === undefined || raw === null) return []
  if (!Array.isArray(raw)) throw new CanvasProblem(at, 'must be a list of fields')
  return raw.map((each: unknown, index) => ({ field: parseFieldId(each, `${at}[${index}]`), raw: isRecord(each) ? each : {} }))
}

function parseLimit(raw: unknown, at: string): number {
  const limit = typeof raw === 'string' && /^\d{1,9}$/.test(raw) ? Number(raw) : raw
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit <= 0)
    throw new CanvasProblem(at, 'must be a whole number greater than 0: how many rows are read at most')
  return limit
}
