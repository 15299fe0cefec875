import type { Db } from '../db/database.ts'
import { toInList } from '../db/in-list.ts'
import { containing, likeText, toIdOrNone } from '../db/search-text.ts'
import { DRAFT_VERSION_ID } from './bot-config.ts'
import type { BotProfile } from './bot-config.ts'

/** A bot as lists show it: the draft's face, or the live version's where only what is published is asked for. */
export type ListedBot = BotProfile & {
  id: string
  ownerId: string
  updatedAt: number
  /** Undefined while it is not published. */
  publishedAt: number | undefined
}

/** Coze's words: drafts of all bots, live versions, drafts of published bots, drafts of bots that are not published. */
export type BotListStatus = 'all' | 'published_online' | 'published_draft' | 'unpublished_draft'

export type BotListFilter = { ownerId: string; status: BotListStatus; search?: string; ids?: ReadonlySet<string> }

/** Live versions newest first, drafts by the age of their bots. */
export async function listBotFaces(db: Db, filter: BotListFilter, page: { offset: number; limit: number }): Promise<ListedBot[]> {
  const isLive = filter.status === 'published_online'
  const face = isLive ? ('bot_version' as const) : ('bot' as const)
  const rows = await matching(db, filter)
    .select([`${face}.name`, `${face}.description`, `${face}.icon_url`])
    .select(['bot.id', 'bot.owner_id', 'bot.updated_at', 'bot_version.created_at as published_at'])
    .orderBy(isLive ? 'bot_version.created_at' : 'bot.id', 'desc')
    .orderBy('bot.id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()

  return rows.map((row) => ({
    id: String(row.id),
    ownerId: String(row.owner_id),
    name: row.name ?? '',
    description: row.description ?? '',
    iconUrl: row.icon_url ?? '',
    updatedAt: isLive ? (row.published_at ?? row.updated_at) : row.updated_at,
    publishedAt: row.published_at ?? undefined,
  }))
}

/** A bot as its builder sees it among others. */
export type BotOverview = BotProfile & {
  id: string
  createdAt: number
  updatedAt: number
  /** Undefined while it is not published. */
  live: { version: string; publishedAt: number } | undefined
  /** Of the API: previews of the draft do not count. */
  lastCallAt: number | undefined
}

/** Drafts, newest first. */
export async function listBotOverviews(db: Db, filter: BotListFilter, page: { offset: number; limit: number }): Promise<BotOverview[]> {
  const rows = await matching(db, filter)
    .select(['bot.id', 'bot.name', 'bot.description', 'bot.icon_url', 'bot.created_at', 'bot.updated_at'])
    .select(['bot_version.version', 'bot_version.created_at as published_at'])
    .select((eb) =>
      eb
        .selectFrom('run')
        .select('run.created_at')
        .whereRef('run.bot_id', '=', 'bot.id')
        .where('run.bot_version_id', '<>', DRAFT_VERSION_ID)
        .orderBy('run.id', 'desc')
        .limit(1)
        .as('last_call_at'),
    )
    .orderBy('bot.id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()

  return rows.map((row) => ({
    ...{ id: String(row.id), name: row.name, description: row.description, iconUrl: row.icon_url },
    ...{ createdAt: row.created_at, updatedAt: row.updated_at, lastCallAt: row.last_call_at ?? undefined },
    live: row.version === null ? undefined : { version: row.version, publishedAt: row.published_at ?? 0 },
  }))
}

export async function countBots(db: Db, filter: BotListFilter): Promise<number> {
  const { total } = await matching(db, filter)
    .select((eb) => eb.fn.countAll().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

function matching(db: Db, { ownerId, status, search, ids }: BotListFilter) {
  const query = db
    .selectFrom('bot')
    .leftJoin('bot_version', 'bot_version.id', 'bot.live_version_id')
    .where('bot.owner_id', '=', ownerId)
    .$if(ids !== undefined, (bots) => bots.where('bot.id', 'in', toInList(ids)))
    .$if(search !== undefined && search !== '', (bots) =>
      bots.where((where) =>
        where.or([likeText(where.ref('bot.name'), containing(search ?? '')), where('bot.id', '=', toIdOrNone(search ?? ''))]),
      ),
    )
  if (status === 'all') return query
  return query.where('bot.live_version_id', status === 'unpublished_draft' ? 'is' : 'is not', null)
}
