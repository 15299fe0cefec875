import type { Insertable, Selectable } from 'kysely'
import type { Db } from '../db/database.ts'
import type { ContentType, MessageRole, MessageTable, MessageType } from '../db/tables.ts'
import { parseMetaData } from './conversation-store.ts'

export type { ContentType, MessageRole, MessageType }

export type Message = {
  id: string
  conversationId: string
  sectionId: string
  /** The chat it belongs to; undefined for messages put into the conversation by hand. */
  runId: string | undefined
  botId: string | undefined
  role: MessageRole
  type: MessageType
  content: string
  contentType: ContentType
  reasoning: string
  metaData: Record<string, string>
  createdAt: number
  updatedAt: number
}

export async function findMessage(db: Db, messageId: string): Promise<Message | undefined> {
  const row = await db.selectFrom('message').selectAll().where('id', '=', messageId).executeTakeFirst()
  return row && toMessage(row)
}

export async function insertMessage(db: Db, message: Message): Promise<void> {
  await db.insertInto('message').values(messageInsert(message)).execute()
}

/** What its users may change. */
export async function updateMessage(db: Db, { id, content, contentType, metaData, updatedAt }: Message): Promise<void> {
  const changes = { content, content_type: contentType, meta_data: JSON.stringify(metaData), updated_at: updatedAt }
  await db.updateTable('message').set(changes).where('id', '=', id).execute()
}

export async function deleteMessageRow(db: Db, messageId: string): Promise<void> {
  await db.deleteFrom('message').where('id', '=', messageId).execute()
}

/** What a chat has written on the way to its answer: tool calls and their results, follow-ups, markers. */
export async function deleteStepsOfRun(db: Db, runId: string): Promise<void> {
  await db.deleteFrom('message').where('run_id', '=', runId).where('type', 'not in', ['question', 'answer']).execute()
}

/** A page of the list in `order`; `afterId` and `beforeId` are positions in that list, the page is the one next to them. */
export type MessagePage = { order: 'asc' | 'desc'; afterId?: string; beforeId?: string; runId?: string; limit: number }

/** Questions and answers of a conversation, as its users see it. */
export async function listMessages(db: Db, conversationId: string, page: MessagePage): Promise<{ messages: Message[]; hasMore: boolean }> {
  const backwards = page.beforeId !== undefined && page.afterId === undefined
  const ascending = (page.order === 'asc') !== backwards
  const from = page.afterId ?? page.beforeId

  let query = db.selectFrom('message').selectAll().where('conversation_id', '=', conversationId).where('type', 'in', ['question', 'answer'])
  if (page.runId !== undefined) query = query.where('run_id', '=', page.runId)
  if (from !== undefined) query = query.where('id', ascending ? '>' : '<', from)
  const rows = await query
    .orderBy('id', ascending ? 'asc' : 'desc')
    .limit(page.limit + 1)
    .execute()

  const messages = rows.slice(0, page.limit).map(toMessage)
  return { messages: backwards ? messages.reverse() : messages, hasMore: rows.length > page.limit }
}

/** All that was said and done in a conversation, steps included, in the order in which it was. */
export async function listAllMessages(
  db: Db,
  conversationId: string,
  page: { order: 'asc' | 'desc'; offset: number; limit: number },
): Promise<Message[]> {
  // @NOTE the ids first, of which an index has all that is asked: MySQL would fetch every row that it skips
  const found = db
    .selectFrom('message')
    .select('id')
    .where('conversation_id', '=', conversationId)
    .orderBy('id', page.order)
    .limit(page.limit)
    .offset(page.offset)
  const rows = await db
    .selectFrom(found.as('found'))
    .innerJoin('message', 'message.id', 'found.id')
    .selectAll('message')
    .orderBy('message.id', page.order)
    .execute()
  return rows.map(toMessage)
}

/** Up to `most`. */
export async function countMessages(db: Db, conversationId: string, most: number): Promise<number> {
  const { total } = await db
    .selectFrom(db.selectFrom('message').select('id').where('conversation_id', '=', conversationId).limit(most).as('found'))
    .select((eb) => eb.fn.countAll().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** Everything a chat has produced, oldest first; its questions are not part of it. */
export async function listRunMessages(db: Db, runId: string): Promise<Message[]> {
  const rows = await db
    .selectFrom('message')
    .selectAll()
    .where('run_id', '=', runId)
    .where('type', '<>', 'question')
    .orderBy('id')
    .execute()
  return rows.map(toMessage)
}

export type HistoryRequest = {
  conversationId: string
  sectionId: string
  /** Messages of earlier runs, and those without a run that are older than the message. */
  beforeId: string
  beforeRunId: string
  rounds: number
  /** Four for each round unless it is given. */
  maxMessages?: number
}

/** The newest `rounds` questions of a section before a run, with what followed them, oldest first. */
export async function listHistory(db: Db, request: HistoryRequest): Promise<Message[]> {
  const { rounds, maxMessages = rounds * 4 } = request
  let questions = 0
  const newest: Message[] = []
  // @NOTE most rounds are a question and an answer: rows that are read and not used would cost every chat time
  for (let limit = rounds * 2; questions < rounds && newest.length < maxMessages; limit *= 2) {
    const rows = await listNewest(db, request, { belowId: newest.at(-1)?.id, limit: Math.min(limit, maxMessages - newest.length) })
    for (const row of rows) {
      newest.push(toMessage(row))
      if (row.role === 'user' && ++questions === rounds) break
    }
    if (rows.length < limit) break
  }
  return newest.reverse().sort((one, other) => turnOf(one) - turnOf(other) || Number(one.id) - Number(other.id))
}

function listNewest(
  db: Db,
  { conversationId, sectionId, beforeId, beforeRunId }: HistoryRequest,
  { belowId, limit }: { belowId: string | undefined; limit: number },
): Promise<Selectable<MessageTable>[]> {
  let query = db.selectFrom('message').selectAll().where('conversation_id', '=', conversationId).where('section_id', '=', sectionId)
  if (belowId !== undefined) query = query.where('id', '<', belowId)
  // @NOTE by run and not by message: an answer may be newer than the question of a run that was waiting for its turn
  return query
    .where((where) => where.or([where.and([where('run_id', 'is', null), where('id', '<', beforeId)]), where('run_id', '<', beforeRunId)]))
    .where('type', 'in', ['question', 'answer'])
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** Ids are ordered in time: a message belongs where its run began. */
const turnOf = (message: Message) => Number(message.runId ?? message.id)

export function messageInsert(message: Message): Insertable<MessageTable> {
  return {
    id: message.id,
    conversation_id: message.conversationId,
    section_id: message.sectionId,
    run_id: message.runId ?? null,
    bot_id: message.botId ?? null,
    role: message.role,
    type: message.type,
    content: message.content,
    content_type: message.contentType,
    reasoning: message.reasoning,
    meta_data: JSON.stringify(message.metaData),
    created_at: message.createdAt,
    updated_at: message.updatedAt,
  }
}

function toMessage(row: Selectable<MessageTable>): Message {
  return {
    id: String(row.id),
    conversationId: String(row.conversation_id),
    sectionId: String(row.section_id),
    runId: row.run_id === null ? undefined : String(row.run_id),
    botId: row.bot_id === null ? undefined : String(row.bot_id),
    role: row.role,
    type: row.type,
    content: row.content,
    contentType: row.content_type,
    reasoning: row.reasoning,
    metaData: parseMetaData(row.meta_data),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
