import type { Principal } from '../../accounts/principal.ts'
import { sealServerTool } from '../../bots/bot-tools.ts'
import type { ServerToolSettings } from '../../bots/bot-tools.ts'
import type { Db } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Clock } from '../../lib/clock.ts'
import type { SecretBox } from '../../lib/secret-box.ts'
import { findPlugin, insertPlugin, updatePlugin } from './plugin-store.ts'
import type { Plugin } from './plugin-store.ts'

export type PluginDeps = { db: Db; clock: Clock; secrets: SecretBox }

export type WantedPlugin = Pick<Plugin, 'id' | 'name' | 'description' | 'iconUrl'> & {
  /** Its headers are in clear, and sealed here. */
  tool: ServerToolSettings
}
export type SavedPlugin = Plugin & { change: 'created' | 'updated' | 'unchanged' }

/** Makes the plugin what it should be. Throws `conflict` for an id that belongs to another user. */
export async function savePlugin({ db, clock, secrets }: PluginDeps, who: Principal, wanted: WantedPlugin): Promise<SavedPlugin> {
  const existing = await findPlugin(db, wanted.id)
  if (existing && existing.ownerId !== who.userId) throw new AppError('conflict', `plugin ${wanted.id} belongs to another user`)

  const now = clock()
  const tool = sealServerTool(secrets, wanted.tool, existing?.tool)
  if (!existing) {
    const plugin = { ...wanted, tool, ownerId: who.userId, createdAt: now, updatedAt: now }
    await insertPlugin(db, plugin)
    return { ...plugin, change: 'created' }
  }
  const plugin = { ...existing, ...wanted, tool }
  if (fingerprint(existing) === fingerprint(plugin)) return { ...existing, change: 'unchanged' }

  await updatePlugin(db, { ...plugin, updatedAt: now })
  return { ...plugin, updatedAt: now, change: 'updated' }
}

const fingerprint = ({ name, description, iconUrl, tool }: Plugin): string => JSON.stringify([name, description, iconUrl, tool])
