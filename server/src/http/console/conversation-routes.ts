import { Readable } from 'node:stream'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import { listRunsById } from '../../chat/run-store.ts'
import type { Run } from '../../chat/run-store.ts'
import {
  browseConversations,
  browseEndUsers,
  countBrowsed,
  countEndUsers,
  findBrowsedConversation,
} from '../../conversations/conversation-browse-store.ts'
import type { BrowsedConversation } from '../../conversations/conversation-browse-store.ts'
import { getConversation } from '../../conversations/conversations.ts'
import { findFeedbackOf } from '../../conversations/feedback-store.ts'
import type { Feedback } from '../../conversations/feedback-store.ts'
import { countMessages, listAllMessages } from '../../conversations/message-store.ts'
import type { Message as StoredMessage } from '../../conversations/message-store.ts'
import type { Db } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import { listWorkflowRunsById } from '../../workflows/runs/run-history-store.ts'
import type { WorkflowRunSummary } from '../../workflows/runs/run-history-store.ts'
import { contentDisposition } from '../file-reply.ts'
import { idField } from '../open/open-fields.ts'
import { success } from '../success-reply.ts'
import { conversationListQuery, endUserListQuery, messageListQuery } from './conversation-wire.ts'
import type { Chat, Conversation, Message } from './conversation-wire.ts'

export type ConversationServices = { db: Db }

/** What end users and agents have said to each other, for the agents' owner. */
export const conversationRoutes =
  ({ db }: ConversationServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get('/api/console/conversations', { config, schema: { querystring: conversationListQuery } }, async (request) => {
      const { page, size, agent_id: botId, end_user: endUser, search, kind } = request.query
      const filter = { ownerId: request.principal.userId, botId, endUser, search, isPreview: kind === 'test' }
      const [found, total] = await Promise.all([
        browseConversations(db, filter, { offset: (page - 1) * size, limit: size }),
        countBrowsed(db, filter),
      ])
      return success(request, { items: found.map(toConversation), total })
    })

    http.get('/api/console/end-users', { config, schema: { querystring: endUserListQuery } }, async (request) => {
      const { page, size, agent_id: botId, search } = request.query
      const filter = { ownerId: request.principal.userId, botId, search }
      const range = { offset: (page - 1) * size, limit: size }
      const [found, total] = await Promise.all([browseEndUsers(db, filter, range), countEndUsers(db, filter)])
      const items = found.map(({ endUser, conversations, lastAt }) => ({ end_user: endUser, conversations, last_at: lastAt }))
      return success(request, { items, total })
    })

    http.get(CONVERSATION, { config, schema: { params } }, async (request) =>
      success(request, await readConversation(db, request.principal, request.params.id)),
    )

    http.get(`${CONVERSATION}/messages`, { config, schema: { params, querystring: messageListQuery } }, async (request) => {
      const { page, size, order } = request.query
      await getConversation({ db }, request.principal, request.params.id)
      const [read, total] = await Promise.all([
        readMessages(db, request.principal, { conversationId: request.params.id, order, offset: (page - 1) * size, limit: size }),
        countMessages(db, request.params.id, MAX_MESSAGES),
      ])
      return success(request, { ...read, total })
    })

    http.get(`${CONVERSATION}/export`, { config, schema: { params } }, async (request, reply) => {
      const conversation = await readConversation(db, request.principal, request.params.id)
      reply.type('application/json; charset=utf-8')
      reply.header('content-disposition', contentDisposition('attachment', `conversation-${conversation.id}.json`))
      return reply.send(Readable.from(exportText(db, request.principal, conversation)))
    })
  }

const CONVERSATION = '/api/console/conversations/:id'
const config = { auth: 'session' } as const
const params = z.object({ id: idField })
const MAX_MESSAGES = 100_000

async function readConversation(db: Db, who: Principal, conversationId: string): Promise<Conversation> {
  const found = await findBrowsedConversation(db, who.userId, conversationId)
  if (!found) throw new AppError('not_found', 'conversation not found')
  return toConversation(found)
}

type Reading = { conversationId: string; order: 'asc' | 'desc'; offset: number; limit: number }

/** A page of messages, with the chats that they are of. */
async function readMessages(db: Db, who: Principal, { conversationId, ...page }: Reading): Promise<{ items: Message[]; chats: Chat[] }> {
  const messages = await listAllMessages(db, conversationId, page)
  const runIds = [...new Set(messages.flatMap(({ runId }) => (runId === undefined ? [] : [runId])))]
  const [feedback, runs, workflowRuns] = await Promise.all([
    findFeedbackOf(
      db,
      messages.map(({ id }) => id),
    ),
    listRunsById(db, who.userId, runIds),
    listWorkflowRunsById(db, who.userId, runIds),
  ])
  return {
    items: messages.map((message) => toMessage(message, feedback.get(message.id))),
    chats: [...runs.map(toChat), ...workflowRuns.map(toChatflowRun)],
  }
}

const EXPORT_PAGE = 500

/** Page by page: a conversation may be longer than what should be in memory at once. */
async function* exportText(db: Db, who: Principal, conversation: Conversation): AsyncGenerator<string> {
  const chats = new Map<string, string>()
  yield `{"conversation":${JSON.stringify(conversation)},\n"messages":[`
  for (let offset = 0; ; offset += EXPORT_PAGE) {
    const read = await readMessages(db, who, { conversationId: conversation.id, order: 'asc', offset, limit: EXPORT_PAGE })
    for (const chat of read.chats) chats.set(chat.id, JSON.stringify(chat))
    yield read.items.map((message, at) => `${offset + at === 0 ? '' : ','}\n${JSON.stringify(message)}`).join('')
    if (read.items.length < EXPORT_PAGE) break
  }
  yield `\n],\n"chats":[\n${[...chats.values()].join(',\n')}\n]}\n`
}

function toConversation(found: BrowsedConversation): Conversation {
  const { id, externalId, botId, botName, endUser, name, createdAt, updatedAt, isBusy } = found
  return {
    ...{ id, external_id: externalId ?? null, agent_id: botId ?? null, agent_name: botName, end_user: endUser, name },
    ...{ created_at: createdAt, updated_at: updatedAt, is_busy: isBusy },
  }
}

function toMessage(message: StoredMessage, feedback: Pick<Feedback, 'type' | 'comment'> | undefined): Message {
  const { id, runId, sectionId, role, type, content, contentType, reasoning, createdAt } = message
  return {
    ...{ id, chat_id: runId ?? null, section_id: sectionId, role, type, content, content_type: contentType, reasoning },
    ...{ created_at: createdAt, feedback: feedback ?? null },
  }
}

function toChat({ id, status, error, usage, keyId, createdAt, finishedAt, firstTokenMs }: Run): Chat {
  return {
    ...{ id, kind: 'agent', status, error: error ?? null, key_id: keyId ?? null },
    usage: { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
    ...{ created_at: createdAt, finished_at: finishedAt || null, first_token_ms: firstTokenMs ?? null },
  }
}

function toChatflowRun({ id, status, error, usage, keyId, createdAt, finishedAt }: WorkflowRunSummary): Chat {
  return {
    ...{ id, kind: 'chatflow', status, error: error ? { code: String(error.code), message: error.message } : null, key_id: keyId ?? null },
    usage: { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
    ...{ created_at: createdAt, finished_at: finishedAt || null, first_token_ms: null },
  }
}
