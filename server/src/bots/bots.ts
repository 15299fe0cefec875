import { hash } from 'node:crypto'
import { mayUseBot } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import { inTransaction } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import { findConfigProblem } from './bot-problems.ts'
import {
  countBotVersions,
  deleteBotRows,
  findBot,
  findBotVersion,
  findBotVersionById,
  insertBot,
  insertBotVersion,
  listBotVersions,
  lockBot,
  setLiveVersion,
  updateBot,
} from './bot-store.ts'
import { deleteVariablesOf } from './end-user-variable-store.ts'
import type { Bot, BotConfig, BotProfile, BotVersion } from './bot-config.ts'

export type BotDeps = { db: Db; nextId: NextId; clock: Clock }

/** A new draft. `id` may be given: manifests and imports fix theirs. */
export async function createBot(deps: BotDeps, who: Principal, request: BotProfile & { id?: string; config: BotConfig }): Promise<Bot> {
  if (who.access?.botIds) throw new AppError('forbidden', 'this api key is for some bots only: it cannot make another one')

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

export type Draft = BotProfile & { config: BotConfig }

export async function saveDraft(deps: BotDeps, who: Principal, { botId, ...draft }: Draft & { botId: string }): Promise<Bot> {
  return editDraft(deps, who, { botId, edit: async () => draft })
}

export type DraftEdit = {
  botId: string
  /** What the draft must still be: see `revisionOf`. */
  revision?: string
  /** Within the transaction `tx`; what it throws leaves the draft as it is. */
  edit: (before: Bot, tx: Db) => Promise<Draft>
}

/** Of several changes at once each sees what the others have made of the draft. Throws `conflict` when it is another than expected. */
export async function editDraft(deps: BotDeps, who: Principal, { botId, revision, edit }: DraftEdit): Promise<Bot> {
  return inTransaction(deps.db, async (tx) => {
    await lockBot(tx, botId)
    const bot = await getOwnBot({ db: tx }, who, botId)
    assertRevision(bot, revision)
    const { name, description, iconUrl, config } = await edit(bot, tx)
    const saved = { ...bot, name, description, iconUrl, draft: config, updatedAt: deps.clock() }
    await updateBot(tx, saved)
    return saved
  })
}

/** Names what the draft is now: the same for as long as nobody changes it. */
export const revisionOf = (bot: Bot): string => hash('sha256', fingerprint(bot, bot.draft), 'base64url').slice(0, 22)

function assertRevision(bot: Bot, revision: string | undefined): void {
  if (revision !== undefined && revision !== revisionOf(bot))
    throw new AppError(
      'conflict',
      'the draft has been changed elsewhere since you read it: nothing was saved. Read it again, or take yours over',
    )
}

export async function getOwnBot({ db }: Pick<BotDeps, 'db'>, who: Principal, botId: string): Promise<Bot> {
  const bot = await findBot(db, botId)
  if (bot?.ownerId !== who.userId || !mayUseBot(who, botId)) throw new AppError('not_found', 'bot not found')
  return bot
}

export type PublishRequest = {
  botId: string
  /** The newest version's with its last number one higher when absent. */
  version?: string
  note?: string
  /** What the draft must still be. */
  revision?: string
}

/** Freezes the draft as a version and makes it the live one. Throws `invalid_request` for a draft that cannot answer. */
export async function publishBot(deps: BotDeps, who: Principal, request: PublishRequest): Promise<BotVersion> {
  return inTransaction(deps.db, async (tx) => {
    // of two that publish at once, the second takes the next number
    await lockBot(tx, request.botId)
    const bot = await getOwnBot({ db: tx }, who, request.botId)
    assertRevision(bot, request.revision)
    const problem = findConfigProblem(bot.draft)
    if (problem !== undefined) throw new AppError('invalid_request', `the agent cannot be published: ${problem}`)

    const { name, description, iconUrl, draft: config } = bot
    const version = {
      ...{ id: deps.nextId(), botId: bot.id, version: request.version ?? (await nextFreeName(tx, bot.id)), note: request.note ?? '' },
      ...{ name, description, iconUrl, config, createdAt: deps.clock() },
    }
    await insertBotVersion(tx, version)
    await setLiveVersion(tx, bot.id, { versionId: version.id, now: version.createdAt })
    return version
  })
}

async function nextFreeName(db: Db, botId: string): Promise<string> {
  const [newest] = await listBotVersions(db, botId, { limit: 1 })
  let name = nextVersionName(newest?.version)
  while (await findBotVersion(db, botId, name)) name = nextVersionName(name)
  return name
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
  const { version: found } = await getVersion(deps, who, { botId, version })
  await setLiveVersion(deps.db, botId, { versionId: found.id, now: deps.clock() })
  return found
}

/** For good, with its versions. Throws `invalid_request` unless its name is given, so that no other is deleted by mistake. */
export async function deleteBot(
  { db }: Pick<BotDeps, 'db'>,
  who: Principal,
  { botId, name }: { botId: string; name: string },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockBot(tx, botId)
    const bot = await getOwnBot({ db: tx }, who, botId)
    if (bot.name !== name) throw new AppError('invalid_request', 'name: is not the name of this agent: nothing was deleted')
    await deleteBotRows(tx, botId)
    await deleteVariablesOf(tx, { ownerId: bot.ownerId, holder: 'bot', holderId: botId })
  })
}

/** Newest first; pages count from 1. */
export async function listVersionPage(
  { db }: Pick<BotDeps, 'db'>,
  who: Principal,
  { botId, page, size }: { botId: string; page: number; size: number },
): Promise<{ bot: Bot; versions: BotVersion[]; total: number }> {
  const bot = await getOwnBot({ db }, who, botId)
  const [versions, total] = await Promise.all([
    listBotVersions(db, botId, { limit: size, offset: (page - 1) * size }),
    countBotVersions(db, botId),
  ])
  return { bot, versions, total }
}

/** Throws `not_found`. */
export async function getVersion(
  { db }: Pick<BotDeps, 'db'>,
  who: Principal,
  { botId, version }: { botId: string; version: string },
): Promise<{ bot: Bot; version: BotVersion }> {
  const bot = await getOwnBot({ db }, who, botId)
  const found = await findBotVersion(db, botId, version)
  if (!found) throw new AppError('not_found', `bot ${botId} has no version ${version.slice(0, 100)}`)
  return { bot, version: found }
}

/** What answers calls now; undefined while the bot is not published. */
export async function findLiveVersion({ db }: Pick<BotDeps, 'db'>, bot: Bot): Promise<BotVersion | undefined> {
  return bot.liveVersionId === undefined ? undefined : findBotVersionById(db, bot.liveVersionId)
}

export async function listVersions(deps: BotDeps, who: Principal, botId: string): Promise<BotVersion[]> {
  await getOwnBot(deps, who, botId)
  return listBotVersions(deps.db, botId, { limit: 100 })
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
