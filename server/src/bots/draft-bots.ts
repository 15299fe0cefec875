import type { Db } from '../db/database.ts'
import { DRAFT_VERSION_ID } from './bot-config.ts'
import type { Bot, BotVersion, PublishedBot } from './bot-config.ts'
import { findBot, findBotVersionById } from './bot-store.ts'
import { getOwnBot } from './bots.ts'
import type { PublishedBots } from './published-bots.ts'

/** For a builder who tries out a draft: it stands where the published version would. Throws `not_found` for a foreign bot. */
export const createDraftBots = ({ db }: { db: Db }): Pick<PublishedBots, 'get'> => ({
  get: async (who, botId) => toPublishedBot(await getOwnBot({ db }, who, botId)),
})

/** What a run is of; the draft as it is now for a run of the draft. */
export async function findRunVersion(
  db: Db,
  { botId, botVersionId }: { botId: string; botVersionId: string },
): Promise<BotVersion | undefined> {
  if (botVersionId !== DRAFT_VERSION_ID) return findBotVersionById(db, botVersionId)
  const bot = await findBot(db, botId)
  return bot && toPublishedBot(bot)
}

function toPublishedBot({ id, ownerId, name, description, iconUrl, draft, createdAt, updatedAt }: Bot): PublishedBot {
  return {
    ...{ id: DRAFT_VERSION_ID, botId: id, ownerId, version: '', note: '', name, description, iconUrl, config: draft },
    ...{ createdAt: updatedAt, botCreatedAt: createdAt },
  }
}
