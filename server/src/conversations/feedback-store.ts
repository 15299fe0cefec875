import { z } from 'zod'
import { upsert } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { MessageFeedbackTable } from '../db/tables.ts'

export type FeedbackType = MessageFeedbackTable['feedback_type']

/** What an end user thinks of an answer. */
export type Feedback = {
  messageId: string
  type: FeedbackType
  /** Words of the caller's own choice. */
  reasonTypes: string[]
  comment: string
  createdAt: number
  updatedAt: number
}

export async function findFeedback(db: Db, messageId: string): Promise<Feedback | undefined> {
  const row = await db.selectFrom('message_feedback').selectAll().where('message_id', '=', messageId).executeTakeFirst()
  return (
    row && {
      messageId: String(row.message_id),
      type: row.feedback_type,
      reasonTypes: reasonsSchema.parse(JSON.parse(row.reason_types)),
      comment: row.comment,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }
  )
}

/** By the ids of their messages. */
export async function findFeedbackOf(db: Db, messageIds: string[]): Promise<Map<string, Pick<Feedback, 'type' | 'comment'>>> {
  if (messageIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('message_feedback')
    .select(['message_id', 'feedback_type', 'comment'])
    .where('message_id', 'in', messageIds)
    .execute()
  return new Map(rows.map((row) => [String(row.message_id), { type: row.feedback_type, comment: row.comment }]))
}

/** There is one for each message: another one replaces it and keeps the time of the first. */
export async function saveFeedback(db: Db, { messageId, type, reasonTypes, comment, createdAt, updatedAt }: Feedback): Promise<void> {
  const changes = { feedback_type: type, reason_types: JSON.stringify(reasonTypes), comment, updated_at: updatedAt }
  await upsert(db, 'message_feedback', { row: { message_id: messageId, created_at: createdAt, ...changes }, keys: ['message_id'], changes })
}

export async function deleteFeedback(db: Db, messageId: string): Promise<void> {
  await db.deleteFrom('message_feedback').where('message_id', '=', messageId).execute()
}

const reasonsSchema = z.array(z.string())
