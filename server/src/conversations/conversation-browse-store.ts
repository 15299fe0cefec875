import type { AliasedExpression, Selectable } from 'kysely'
import type { Db } from '../db/database.ts'
import { containing, likeText, toIdOrNone } from '../db/search-text.ts'
import type { ConversationTable } from '../db/tables.ts'
import { PREVIEW_CONNECTOR_ID } from './conversation-store.ts'

/** What a builder looks through: all conversations of their bots, whoever they are with. */
export type BrowsedConversation = {
  id: string
  externalId: string | undefined
  botId: string | undefined
  /** Empty when the bot is gone. */
  botName: string
  endUser: string
  name: string
  /** A chat is running in it. */
  isBusy: boolean
  createdAt: number
  updatedAt: number
}

export type BrowseFilter = {
  ownerId: string
  botId?: string
  endUser?: string
  /** Builders' own tries instead of what callers of the API have said. */
  isPreview: boolean
  /** An id, or a part of a name, of a caller's id or of a user's. */
  search?: string
}

export type Range = { offset: number; limit: number }

/** What no index finds is looked for among as many of the newest: more would be work without end for whoever has millions. */
export const SEARCHED = 20_000
/** Counting ends there. */
export const COUNTED = 10_000

/** Newest first. */
export async function browseConversations(db: Db, filter: BrowseFilter, range: Range): Promise<BrowsedConversation[]> {
  return withBotNames(db, matching(db, filter).orderBy('id', 'desc').limit(range.limit).offset(range.offset).as('found'))
}

/** Previews too. */
export async function findBrowsedConversation(db: Db, ownerId: string, conversationId: string): Promise<BrowsedConversation | undefined> {
  const one = db.selectFrom('conversation').select(COLUMNS).where('id', '=', conversationId).where('owner_id', '=', ownerId)
  const [found] = await withBotNames(db, one.where('deleted_at', '=', 0).as('found'))
  return found
}

type Found = AliasedExpression<Selectable<Pick<ConversationTable, (typeof COLUMNS)[number]>>, 'found'>

async function withBotNames(db: Db, found: Found): Promise<BrowsedConversation[]> {
  const rows = await db
    .selectFrom(found)
    .leftJoin('bot', 'bot.id', 'found.bot_id')
    .selectAll('found')
    .select('bot.name as bot_name')
    .orderBy('found.id', 'desc')
    .execute()

  return rows.map((row) => ({
    ...{ id: String(row.id), externalId: row.external_id ?? undefined },
    ...{ botId: row.bot_id === null ? undefined : String(row.bot_id), botName: row.bot_name ?? '' },
    ...{ endUser: row.end_user, name: row.name, isBusy: row.active_run_id !== null },
    ...{ createdAt: row.created_at, updatedAt: row.updated_at },
  }))
}

/** At most COUNTED. */
export async function countBrowsed(db: Db, filter: BrowseFilter): Promise<number> {
  const { total } = await db
    .selectFrom(matching(db, filter).clearSelect().select('id').limit(COUNTED).as('found'))
    .select((eb) => eb.fn.countAll().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

const COLUMNS = [
  ...(['id', 'external_id', 'bot_id', 'end_user', 'name', 'connector_id'] as const),
  ...(['active_run_id', 'created_at', 'updated_at'] as const),
] as const

function matching(db: Db, { search, endUser, isPreview, ...filter }: BrowseFilter) {
  // with a bot its index finds a user's conversations; without one they are looked for as names and the few previews are
  const isIndexed = (endUser === undefined || filter.botId !== undefined) && !isPreview
  if (!search && isIndexed) return db.selectFrom(ofOwner(db, { ...filter, endUser, isPreview }).as('recent')).selectAll()

  const indexed = isIndexed ? { ...filter, endUser, isPreview } : filter
  return db
    .selectFrom(ofOwner(db, indexed).orderBy('id', 'desc').limit(SEARCHED).as('recent'))
    .selectAll()
    .where('recent.connector_id', isPreview ? '=' : '<>', PREVIEW_CONNECTOR_ID)
    .$if(endUser !== undefined, (query) => query.where('recent.end_user', '=', endUser ?? ''))
    .$if(Boolean(search), (query) =>
      query.where((where) => {
        const pattern = containing(search ?? '')
        const texts = (['recent.name', 'recent.end_user', 'recent.external_id'] as const).map((column) =>
          likeText(where.ref(column), pattern),
        )
        return where.or([where('recent.id', '=', toIdOrNone(search ?? '')), ...texts])
      }),
    )
}

type OwnFilter = Pick<BrowseFilter, 'ownerId' | 'botId' | 'endUser'> & { isPreview?: false }

function ofOwner(db: Db, { ownerId, botId, endUser, isPreview }: OwnFilter) {
  return db
    .selectFrom('conversation')
    .select(COLUMNS)
    .where('owner_id', '=', ownerId)
    .where('deleted_at', '=', 0)
    .$if(isPreview === false, (query) => query.where('connector_id', '<>', PREVIEW_CONNECTOR_ID))
    .$if(botId !== undefined, (query) => query.where('bot_id', '=', botId ?? ''))
    .$if(endUser !== undefined, (query) => query.where('end_user', '=', endUser ?? ''))
}

/** `lastAt`: of their newest conversation's beginning. */
export type EndUser = { endUser: string; conversations: number; lastAt: number }
export type EndUserFilter = Pick<BrowseFilter, 'ownerId' | 'botId' | 'search'>

/** Of the newest SEARCHED conversations; who talked last comes first. Nobody in particular is none. */
export async function browseEndUsers(db: Db, filter: EndUserFilter, range: Range): Promise<EndUser[]> {
  const rows = await groupedUsers(db, filter)
    .orderBy('last_at', 'desc')
    .orderBy('end_user')
    .limit(range.limit)
    .offset(range.offset)
    .execute()
  return rows.map((row) => ({ endUser: row.end_user, conversations: Number(row.conversations), lastAt: row.last_at }))
}

export async function countEndUsers(db: Db, filter: EndUserFilter): Promise<number> {
  const { total } = await db
    .selectFrom(groupedUsers(db, filter).as('found'))
    .select((eb) => eb.fn.countAll().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

function groupedUsers(db: Db, { ownerId, botId, search }: EndUserFilter) {
  const recent = ofOwner(db, { ownerId, botId, isPreview: false }).orderBy('id', 'desc').limit(SEARCHED).as('recent')
  return db
    .selectFrom(recent)
    .where('recent.end_user', '<>', '')
    .$if(Boolean(search), (query) => query.where((where) => likeText(where.ref('recent.end_user'), containing(search ?? ''))))
    .groupBy('recent.end_user')
    .select((eb) => ['recent.end_user', eb.fn.countAll().as('conversations'), eb.fn.max('recent.created_at').as('last_at')])
}
