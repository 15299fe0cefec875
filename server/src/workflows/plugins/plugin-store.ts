import type { Selectable } from 'kysely'
import { serverToolSchema } from '../../bots/bot-tools.ts'
import type { ServerBotTool } from '../../bots/bot-tools.ts'
import { orConflict } from '../../db/database.ts'
import type { Db } from '../../db/database.ts'
import type { PluginTable } from '../../db/tables.ts'

/** Operations of an OpenAPI document or tools of an MCP server, under the id by which canvases call them. */
export type Plugin = {
  id: string
  ownerId: string
  name: string
  description: string
  iconUrl: string
  tool: ServerBotTool
  createdAt: number
  updatedAt: number
}

export async function findPlugin(db: Db, pluginId: string): Promise<Plugin | undefined> {
  const row = await db.selectFrom('plugin').selectAll().where('id', '=', pluginId).executeTakeFirst()
  return row && toPlugin(row)
}

/** Throws `conflict` when the id is taken. */
export async function insertPlugin(db: Db, plugin: Plugin): Promise<void> {
  const insertion = db
    .insertInto('plugin')
    .values({ id: plugin.id, owner_id: plugin.ownerId, created_at: plugin.createdAt, ...changeable(plugin) })
    .execute()
  await orConflict(insertion, `plugin id ${plugin.id} is taken`)
}

export async function updatePlugin(db: Db, plugin: Plugin): Promise<void> {
  await db.updateTable('plugin').set(changeable(plugin)).where('id', '=', plugin.id).execute()
}

function changeable({ name, description, iconUrl, tool, updatedAt }: Plugin) {
  return { name, description, icon_url: iconUrl, tool: JSON.stringify(tool), updated_at: updatedAt }
}

function toPlugin(row: Selectable<PluginTable>): Plugin {
  return {
    id: String(row.id),
    ownerId: String(row.owner_id),
    name: row.name,
    description: row.description,
    iconUrl: row.icon_url,
    tool: serverToolSchema.parse(JSON.parse(row.tool)),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
