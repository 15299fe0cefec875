import type { Insertable, Selectable } from 'kysely'
import type { Db } from '../db/database.ts'
import type { ConversationTable } from '../db/tables.ts'

export type Conversation = {
  id: string
  ownerId: string
  /** Undefined until a bot is named: then it may be used with any bot of its owner. */
  botId: string | undefined
  /** An id of the caller's own choice, beside ours. */
  externalId: string | undefined
  /** The caller's own user id; empty when none was given. */
  endUser: string
  connectorId: string
  name: string
  metaData: Record<string, string>
  /** Messages of earlier sections are kept but are no context any more. */
  sectionId: string
  createdAt: number
  updatedAt: number
}

export async function findConversation(db: Db, conversationId: string): Promise<Conversation | undefined> {
  const row = await db
    .selectFrom('conversation')
    .selectAll()
    .where('id', '=', conversationId)
    .where('deleted_at', '=', 0)
    .executeTakeFirst()
  return row && toConversation(row)
}

export async function findConversationByExternalId(db: Db, ownerId: string, externalId: string): Promise<Conversation | undefined> {
  const row = await db
    .selectFrom('conversation')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('external_id', '=', externalId)
    .where('deleted_at', '=', 0)
    .executeTakeFirst()
  return row && toConversation(row)
}

/** Of tries in the editor of a bot or workflow, as Coze numbers it: they are listed only for those who ask for it. */
export const PREVIEW_CONNECTOR_ID = '10000010'

export type ConversationFilter = { ownerId: string; botId: string; endUser: string | undefined; connectorId: string | undefined }
export type Page = { offset: number; limit: number; order: 'asc' | 'desc' }

export async function listConversations(db: Db, filter: ConversationFilter, page: Page): Promise<Conversation[]> {
  const { ownerId, botId, endUser, connectorId } = filter
  // @NOTE the ids first, of which an index has all that is asked: MySQL would fetch every row that it skips
  const found = db
    .selectFrom('conversation')
    .select('id')
    .where('owner_id', '=', ownerId)
    .where('bot_id', '=', botId)
    .where('deleted_at', '=', 0)
    .where('connector_id', connectorId === undefined ? '<>' : '=', connectorId ?? PREVIEW_CONNECTOR_ID)
    .$if(endUser !== undefined, (query) => query.where('end_user', '=', endUser ?? ''))
    .orderBy('id', page.order)
    .limit(page.limit)
    .offset(page.offset)
  const rows = await db
    .selectFrom(found.as('found'))
    .innerJoin('conversation', 'conversation.id', 'found.id')
    .selectAll('conversation')
    .orderBy('conversation.id', page.order)
    .execute()
  return rows.map(toConversation)
}

export function conversationInsert(conversation: Conversation, activeRunId?: string): Insertable<ConversationTable> {
  return {
    id: conversation.id,
    owner_id: conversation.ownerId,
    bot_id: conversation.botId ?? null,
    external_id: conversation.externalId ?? null,
    end_user: conversation.endUser,
    connector_id: conversation.connectorId,
    name: conversation.name,
    meta_data: JSON.stringify(conversation.metaData),
    section_id: conversation.sectionId,
    active_run_id: activeRunId ?? null,
    created_at: conversation.createdAt,
    updated_at: conversation.updatedAt,
    deleted_at: 0,
  }
}

export async function updateConversation(
  db: Db,
  conversationId: string,
  changes: { name?: string; sectionId?: string; updatedAt: number },
): Promise<void> {
  await db
    .updateTable('conversation')
    .set({ name: changes.name, section_id: changes.sectionId, updated_at: changes.updatedAt })
    .where('id', '=', conversationId)
    .execute()
}

/** The rows stay, out of everybody's reach; an id the caller chose is free again. */
export async function deleteConversationRow(db: Db, conversationId: string, now: number): Promise<void> {
  await db
    .updateTable('conversation')
    .set({ deleted_at: now, external_id: null })
    .where('id', '=', conversationId)
    .where('deleted_at', '=', 0)
    .execute()
}

/** Makes the run the one that runs in the conversation; false when another runs there or the conversation is gone. */
export async function claimConversation(db: Db, conversationId: string, claim: { runId: string; now: number }): Promise<boolean> {
  const result = await db
    .updateTable('conversation')
    .set({ active_run_id: claim.runId, updated_at: claim.now })
    .where('id', '=', conversationId)
    .where('active_run_id', 'is', null)
    .where('deleted_at', '=', 0)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** The chat that runs in the conversation now. */
export async function findActiveRun(db: Db, conversationId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('conversation')
    .select('active_run_id')
    .where('id', '=', conversationId)
    .where('deleted_at', '=', 0)
    .executeTakeFirst()
  return row?.active_run_id == null ? undefined : String(row.active_run_id)
}

/** Frees the conversation if this run still holds it. */
export async function releaseConversation(db: Db, conversationId: string, runId: string): Promise<void> {
  await db
    .updateTable('conversation')
    .set({ active_run_id: null })
    .where('id', '=', conversationId)
    .where('active_run_id', '=', runId)
    .execute()
}

function toConversation(row: Selectable<ConversationTable>): Conversation {
  return {
    id: String(row.id),
    ownerId: String(row.owner_id),
    botId: row.bot_id === null ? undefined : String(row.bot_id),
    externalId: row.external_id ?? undefined,
    endUser: row.end_user,
    connectorId: String(row.connector_id),
    name: row.name,
    metaData: parseMetaData(row.meta_data),
    sectionId: String(row.section_id),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

// written by this product from a checked map: the cast is the parser
export const parseMetaData = (json: string): Record<string, string> => (json === '' ? {} : (JSON.parse(json) as Record<string, string>))
