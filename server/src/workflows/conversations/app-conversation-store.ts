import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import { upsert } from '../../db/database.ts'
import type { Db } from '../../db/database.ts'
import type { AppConversationTable } from '../../db/tables.ts'

/** What an app calls a conversation; each end user has names of its own, and so has nobody in particular (empty). */
export type ConversationName = { appId: string; endUser: string; name: string }
export type AppConversation = ConversationName & { conversationId: string }

/** `isDeleted` where the conversation itself is gone: its name is free to be used again. */
export type FoundName = AppConversation & { isDeleted: boolean }

export async function findAppConversation(db: Db, wanted: ConversationName): Promise<FoundName | undefined> {
  const row = await selectNames(db)
    .where('app_conversation.app_id', '=', wanted.appId)
    .where('app_conversation.name_key', '=', nameKey(wanted))
    .executeTakeFirst()
  return row && toFoundName(row)
}

export async function findAppConversationById(db: Db, conversationId: string): Promise<FoundName | undefined> {
  const row = await selectNames(db).where('app_conversation.conversation_id', '=', conversationId).executeTakeFirst()
  return row && toFoundName(row)
}

/** The newest `limit` of an end user, oldest first. */
export async function listAppConversations(
  db: Db,
  { appId, endUser, limit }: Omit<ConversationName, 'name'> & { limit: number },
): Promise<AppConversation[]> {
  const rows = await selectNames(db)
    .where('app_conversation.app_id', '=', appId)
    .where('app_conversation.end_user', '=', endUser)
    .where('conversation.deleted_at', '=', 0)
    .orderBy('app_conversation.conversation_id', 'desc')
    .limit(limit)
    .execute()

  // @NOTE MySQL takes "ada" and "ada " for the same
  return rows
    .reverse()
    .filter((row) => row.end_user === endUser)
    .map(toFoundName)
}

export async function insertAppConversation(db: Db, conversation: AppConversation, now: number): Promise<void> {
  await db.insertInto('app_conversation').values(toRow(conversation, now)).execute()
}

/** The name leads to this conversation from now on, wherever it led before. */
export async function putAppConversation(db: Db, conversation: AppConversation, now: number): Promise<void> {
  const changes = { conversation_id: conversation.conversationId, updated_at: now }
  await upsert(db, 'app_conversation', { row: toRow(conversation, now), keys: ['app_id', 'name_key'], changes })
}

/** False when the conversation has no name any more. */
export async function updateAppConversationName(db: Db, { conversationId, ...wanted }: AppConversation, now: number): Promise<boolean> {
  const result = await db
    .updateTable('app_conversation')
    .set({ name: wanted.name, name_key: nameKey(wanted), updated_at: now })
    .where('conversation_id', '=', conversationId)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function deleteAppConversationName(db: Db, conversationId: string): Promise<void> {
  await db.deleteFrom('app_conversation').where('conversation_id', '=', conversationId).execute()
}

const selectNames = (db: Db) =>
  db
    .selectFrom('app_conversation')
    .leftJoin('conversation', 'conversation.id', 'app_conversation.conversation_id')
    .selectAll('app_conversation')
    .select('conversation.deleted_at')

const toRow = ({ conversationId, ...address }: AppConversation, now: number) => ({
  conversation_id: conversationId,
  app_id: address.appId,
  end_user: address.endUser,
  name: address.name,
  name_key: nameKey(address),
  created_at: now,
  updated_at: now,
})

const nameKey = ({ endUser, name }: ConversationName): string =>
  createHash('sha256')
    .update(JSON.stringify([endUser, name]))
    .digest('hex')

const toFoundName = (row: Selectable<AppConversationTable> & { deleted_at: number | null }): FoundName => ({
  appId: String(row.app_id),
  endUser: row.end_user,
  name: row.name,
  conversationId: String(row.conversation_id),
  isDeleted: row.deleted_at !== 0,
})
