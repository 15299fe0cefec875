import type { Selectable } from 'kysely'
import { orConflict } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { BotTable, BotVersionTable } from '../db/tables.ts'
import { botConfigSchema } from './bot-config.ts'
import type { Bot, BotVersion, PublishedBot } from './bot-config.ts'

export async function findBot(db: Db, botId: string): Promise<Bot | undefined> {
  const row = await db.selectFrom('bot').selectAll().where('id', '=', botId).executeTakeFirst()
  return row && toBot(row)
}

/** The oldest of that name. */
export async function findBotByName(db: Db, ownerId: string, name: string): Promise<Bot | undefined> {
  const row = await db
    .selectFrom('bot')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('name', '=', name)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row && toBot(row)
}

export async function listBots(db: Db, ownerId: string, page: { offset: number; limit: number }): Promise<Bot[]> {
  const rows = await db
    .selectFrom('bot')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
  return rows.map(toBot)
}

/** For the operator at the command line: everybody's, oldest first. */
export async function listAllBots(db: Db): Promise<Bot[]> {
  const rows = await db.selectFrom('bot').selectAll().orderBy('id').execute()
  return rows.map(toBot)
}

/** Throws `conflict` when the id is taken. */
export async function insertBot(db: Db, bot: Bot): Promise<void> {
  const row = {
    id: bot.id,
    owner_id: bot.ownerId,
    live_version_id: bot.liveVersionId ?? null,
    created_at: bot.createdAt,
    ...changeable(bot),
  }
  const insertion = db.insertInto('bot').values(row).execute()
  await orConflict(insertion, `bot id ${bot.id} is taken`)
}

export async function updateBot(db: Db, bot: Bot): Promise<void> {
  await db.updateTable('bot').set(changeable(bot)).where('id', '=', bot.id).execute()
}

/** In a transaction: nobody else changes the bot until it ends. As the first statement, it also makes later reads see the newest. */
export async function lockBot(db: Db, botId: string): Promise<void> {
  await db
    .updateTable('bot')
    .set((eb) => ({ updated_at: eb.ref('updated_at') }))
    .where('id', '=', botId)
    .execute()
}

/** With all its versions. What it has said and done stays. */
export async function deleteBotRows(db: Db, botId: string): Promise<void> {
  await db.deleteFrom('bot_version').where('bot_id', '=', botId).execute()
  await db.deleteFrom('bot').where('id', '=', botId).execute()
}

export async function setLiveVersion(db: Db, botId: string, live: { versionId: string | undefined; now: number }): Promise<void> {
  await db
    .updateTable('bot')
    .set({ live_version_id: live.versionId ?? null, updated_at: live.now })
    .where('id', '=', botId)
    .execute()
}

/** The live version; undefined for a bot that is unknown or not published. */
export async function findPublishedBot(db: Db, botId: string): Promise<PublishedBot | undefined> {
  const row = await db
    .selectFrom('bot')
    .innerJoin('bot_version', 'bot_version.id', 'bot.live_version_id')
    .selectAll('bot_version')
    .select(['bot.owner_id', 'bot.created_at as bot_created_at'])
    .where('bot.id', '=', botId)
    .executeTakeFirst()
  return row && { ...toBotVersion(row), ownerId: String(row.owner_id), botCreatedAt: row.bot_created_at }
}

export async function findBotVersion(db: Db, botId: string, version: string): Promise<BotVersion | undefined> {
  const row = await db.selectFrom('bot_version').selectAll().where('bot_id', '=', botId).where('version', '=', version).executeTakeFirst()
  return row && toBotVersion(row)
}

export async function findBotVersionById(db: Db, versionId: string): Promise<BotVersion | undefined> {
  const row = await db.selectFrom('bot_version').selectAll().where('id', '=', versionId).executeTakeFirst()
  return row && toBotVersion(row)
}

/** Newest first. */
export async function listBotVersions(db: Db, botId: string, page: { limit: number; offset?: number }): Promise<BotVersion[]> {
  const query = db.selectFrom('bot_version').selectAll().where('bot_id', '=', botId).orderBy('id', 'desc')
  const rows = await query
    .limit(page.limit)
    .offset(page.offset ?? 0)
    .execute()
  return rows.map(toBotVersion)
}

export async function countBotVersions(db: Db, botId: string): Promise<number> {
  const { total } = await db
    .selectFrom('bot_version')
    .select((eb) => eb.fn.countAll().as('total'))
    .where('bot_id', '=', botId)
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** Throws `conflict` when the bot has a version of that name. */
export async function insertBotVersion(db: Db, version: BotVersion): Promise<void> {
  const { id, botId, note, name, description, iconUrl, config, createdAt } = version
  const row = {
    id,
    bot_id: botId,
    version: version.version,
    note,
    name,
    description,
    icon_url: iconUrl,
    config: JSON.stringify(config),
    created_at: createdAt,
  }
  const insertion = db.insertInto('bot_version').values(row).execute()
  await orConflict(insertion, `version ${version.version} exists already: a published version never changes, choose another name`)
}

function changeable(bot: Bot) {
  return {
    name: bot.name,
    description: bot.description,
    icon_url: bot.iconUrl,
    draft: JSON.stringify(bot.draft),
    updated_at: bot.updatedAt,
  }
}

function toBot(row: Selectable<BotTable>): Bot {
  return {
    id: String(row.id),
    ownerId: String(row.owner_id),
    name: row.name,
    description: row.description,
    iconUrl: row.icon_url,
    draft: botConfigSchema.parse(JSON.parse(row.draft)),
    liveVersionId: row.live_version_id === null ? undefined : String(row.live_version_id),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function toBotVersion(row: Selectable<BotVersionTable>): BotVersion {
  return {
    id: String(row.id),
    botId: String(row.bot_id),
    version: row.version,
    note: row.note,
    name: row.name,
    description: row.description,
    iconUrl: row.icon_url,
    config: botConfigSchema.parse(JSON.parse(row.config)),
    createdAt: row.created_at,
  }
}
