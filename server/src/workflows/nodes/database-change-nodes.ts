import { parseFields } from '../canvas/canvas-values.ts'
import type { NodeType } from '../engine/node-type.ts'
import { toDatabaseResult } from './database-result.ts'
import { parseFieldInfo, parseNeededWhere, parseSection, parseTableId, toFieldValues, toWhere } from './database-settings.ts'
import type { WhereSettings } from './database-settings.ts'

const common = { fillsInputs: true, fillsOutputs: false, hasEffects: true } as const

/** Adds a row to one table. */
export const databaseInsertNode: NodeType<{ tableId: string; fields: string[] }> = {
  code: '46',
  name: 'DatabaseInsert',
  ...common,
  parse(node) {
    const { settings: fields, inputs } = parseFieldInfo(parseSection(node, 'insertParam').fieldInfo, 'inputs.insertParam.fieldInfo')
    return { config: { tableId: parseTableId(node), fields }, inputs, outputs: parseFields(node.outputs, 'outputs') }
  },
  async run(run) {
    const { tableId, fields } = run.config
    return toDatabaseResult(run, await run.services.tables.insert(tableId, toFieldValues(fields, run.inputs)))
  },
}

/** Writes the same into all rows that fit. */
export const databaseUpdateNode: NodeType<{ tableId: string; where: WhereSettings; fields: string[] }> = {
  code: '42',
  name: 'DatabaseUpdate',
  ...common,
  parse(node) {
    const at = 'inputs.updateParam'
    const section = parseSection(node, 'updateParam')
    const { settings: where, inputs: compared } = parseNeededWhere(section.condition, `${at}.condition`)
    const { settings: fields, inputs: written } = parseFieldInfo(section.fieldInfo, `${at}.fieldInfo`)
    const config = { tableId: parseTableId(node), where, fields }
    return { config, inputs: [...compared, ...written], outputs: parseFields(node.outputs, 'outputs') }
  },
  async run(run) {
    const { tableId, where, fields } = run.config
    const change = { where: toWhere(where, run.inputs), values: toFieldValues(fields, run.inputs) }
    return toDatabaseResult(run, await run.services.tables.update(tableId, change))
  },
}

/** Takes all rows away that fit. */
export const databaseDeleteNode: NodeType<{ tableId: string; where: WhereSettings }> = {
  code: '44',
  name: 'DatabaseDelete',
  ...common,
  parse(node) {
    const { settings: where, inputs } = parseNeededWhere(parseSection(node, 'deleteParam').condition, 'inputs.deleteParam.condition')
    return { config: { tableId: parseTableId(node), where }, inputs, outputs: parseFields(node.outputs, 'outputs') }
  },
  async run(run) {
    const { tableId, where } = run.config
    return toDatabaseResult(run, await run.services.tables.delete(tableId, toWhere(where, run.inputs)))
  },
}
