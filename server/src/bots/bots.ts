import type { Principal } from '../accounts/principal.ts'
import { inTransaction } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import {
  findBot,
  findBotVersion,
  findBotVersionById,
  insertBot,
  insertBotVersion,
  listBotVersions,
  setLiveVersion,
  updateBot,
} from './bot-store.ts'
import type { Bot, BotConfig, BotProfile, BotVersion } from './bot-config.ts'

export type BotDeps = { db: Db; nextId: NextId; clock: Clock }

/** A new draft. `id` may be given: manifests and imports fix theirs. */
export async function createBot(deps: BotDeps, who: Principal, request: BotProfile & { id?: string; config: BotConfig }): Promise<Bot> {
  const now = deps.clock()
  const { name, description, iconUrl, config } = request
  const bot = {
    id: request.id ?? deps.nextId(),
    ownerId: who.userId,
    name,
    description,
    iconUrl,
    draft: config,
    liveVersionId: undefined,
    createdAt: now,
    updatedAt: now,
  }
  await insertBot(deps.db, bot)
  return bot
}

export async function saveDraft(
  deps: BotDeps,
  who: Principal,
  { botId, ...draft }: BotProfile & { botId: string; config: BotConfig },
): Promise<Bot> {
  const bot = await getOwnBot(deps, who, botId)
  const saved = {
    ...bot,
    name: draft.name,
    description: draft.description,
    iconUrl: draft.iconUrl,
    draft: draft.config,
    updatedAt: deps.clock(),
  }
  await updateBot(deps.db, saved)
  return saved
}

export async function getOwnBot({ db }: Pick<BotDeps, 'db'>, who: Principal, botId: string): Promise<Bot> {
  const bot = await findBot(db, botId)
  if (bot?.ownerId !== who.userId) throw new AppError('not_found', 'bot not found')
  return bot
}

/** Freezes the draft as a version and makes it the live one. Without a name the newest version's last number goes up by one. */
export async function publishBot(
  deps: BotDeps,
  who: Principal,
  request: { botId: string; version?: string; note?: string },
): Promise<BotVersion> {
  const bot = await getOwnBot(deps, who, request.botId)
  const now = deps.clock()
  const { name, description, iconUrl, draft: config } = bot
  const versionName = request.version ?? nextVersionName((await listBotVersions(deps.db, bot.id, 1))[0]?.version)
  const version = {
    id: deps.nextId(),
    botId: bot.id,
    version: versionName,
    note: request.note ?? '',
    name,
    description,
    iconUrl,
    config,
    createdAt: now,
  }

  await inTransaction(deps.db, async (tx) => {
    await insertBotVersion(tx, version)
    await setLiveVersion(tx, bot.id, { versionId: version.id, now })
  })
  return version
}

/** From now on API calls answer that the bot is not published; its versions stay. */
export async function unpublishBot(deps: BotDeps, who: Principal, botId: string): Promise<void> {
  await getOwnBot(deps, who, botId)
  await setLiveVersion(deps.db, botId, { versionId: undefined, now: deps.clock() })
}

/** Makes an earlier version the live one again; the draft is not touched. */
export async function rollBackBot(
  deps: BotDeps,
  who: Principal,
  { botId, version }: { botId: string; version: string },
): Promise<BotVersion> {
  await getOwnBot(deps, who, botId)
  const found = await findBotVersion(deps.db, botId, version)
  if (!found) throw new AppError('not_found', `bot ${botId} has no version ${version}`)

  await setLiveVersion(deps.db, botId, { versionId: found.id, now: deps.clock() })
  return found
}

export async function listVersions(deps: BotDeps, who: Principal, botId: string): Promise<BotVersion[]> {
  await getOwnBot(deps, who, botId)
  return listBotVersions(deps.db, botId, 100)
}

/** True when the draft is not what the live version is. */
export async function hasUnpublishedChanges({ db }: Pick<BotDeps, 'db'>, bot: Bot): Promise<boolean> {
  if (bot.liveVersionId === undefined) return true
  const live = await findBotVersionById(db, bot.liveVersionId)
  return !live || !isDraftOf(bot, live)
}

/** True when the draft is just what the version is. */
export const isDraftOf = (bot: Bot, version: BotVersion): boolean => fingerprint(version, version.config) === fingerprint(bot, bot.draft)

function fingerprint({ name, description, iconUrl }: BotProfile, config: BotConfig): string {
  return JSON.stringify([name, description, iconUrl, config])
}

function nextVersionName(latest: string | undefined): string {
  if (latest === undefined) return '1.0.0'
  return /\d+$/.test(latest) ? latest.replace(/\d+$/, (digits) => String(Number(digits) + 1)) : `${latest}.1`
}
