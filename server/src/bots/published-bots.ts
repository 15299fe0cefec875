import { LRUCache } from 'lru-cache'
import { mayUseBot } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { PublishedBot } from './bot-config.ts'
import { findPublishedBot } from './bot-store.ts'

/**
 * The bots that answer API calls. A version read a moment ago is used again: a publish, roll-back
 * or unpublish by this process counts at once (`forget`), one by another process within FRESH_MS.
 */
export interface PublishedBots {
  /** Throws the one answer for unknown, unpublished and foreign bots: a caller cannot tell them apart. */
  get(who: Principal, botId: string): Promise<PublishedBot>
  forget(botId: string): void
}

const FRESH_MS = 1_000
const KEPT = 5_000

export function createPublishedBots({ db, clock }: { db: Db; clock: Clock }): PublishedBots {
  const known = new LRUCache<string, { bot: PublishedBot; readAt: number }>({ max: KEPT })
  let changes = 0

  async function find(botId: string): Promise<PublishedBot | undefined> {
    const hit = known.get(botId)
    if (hit && Math.abs(clock() - hit.readAt) < FRESH_MS) return hit.bot

    const [readAt, changesBefore] = [clock(), changes]
    const bot = await findPublishedBot(db, botId)
    // what was read while something changed may be what was there before
    if (bot && changes === changesBefore) known.set(botId, { bot, readAt })
    else known.delete(botId)
    return bot
  }

  return {
    async get(who, botId) {
      const bot = await find(botId)
      if (bot?.ownerId !== who.userId || !mayUseBot(who, botId)) throw new AppError('not_found', 'bot not found or not published')
      return bot
    },
    forget(botId) {
      changes++
      known.delete(botId)
    },
  }
}
