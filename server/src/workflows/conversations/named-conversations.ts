import { getOwnApp } from '../../bots/apps.ts'
import { clearConversation, getConversation } from '../../conversations/conversations.ts'
import type { ConversationDeps } from '../../conversations/conversations.ts'
import { listHistory } from '../../conversations/message-store.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import {
  deleteAppConversation,
  getOrCreateAppConversation,
  isDeclaredConversation,
  listOwnAppConversations,
  renameAppConversation,
} from './app-conversations.ts'
import { findNamed, orNodeError } from './conversation-lookup.ts'
import { messageText } from './message-text.ts'
import type { ConversationContext, NamedConversations } from './workflow-conversations.ts'

const MAX_MESSAGES = 1_000

export function createNamedConversations(deps: ConversationDeps, context: ConversationContext): NamedConversations {
  const { who, endUser } = context
  const find = (name: string) => findNamed(deps, context, { appId: requireApp(context), name })
  const addressOf = async (name: string) => (await find(name)) ?? { appId: requireApp(context), endUser, name }

  const conversations: NamedConversations = {
    async create(name) {
      return getOrCreateAppConversation(deps, who, await addressOf(name))
    },
    async rename(name, newName) {
      const change = await renameAppConversation(deps, who, { ...(await addressOf(name)), newName })
      if (change.kind === 'taken') return { conversationId: change.conversationId ?? '0', isTaken: true }
      if (change.kind !== 'renamed') throw refusal(change.kind, name)
      return { conversationId: change.conversationId, isTaken: false }
    },
    async delete(name) {
      const change = await deleteAppConversation(deps, who, await addressOf(name))
      if (change.kind !== 'deleted') throw refusal(change.kind, name)
    },
    async list() {
      return listOwnAppConversations(deps, who, { appId: requireApp(context), endUser })
    },
    async history(name, rounds = MAX_MESSAGES) {
      const found = await find(name)
      if (found) return listRounds(deps, context, { conversationId: found.conversationId, rounds })

      const app = await getOwnApp(deps, who, requireApp(context))
      if (!isDeclaredConversation(app, name)) throw refusal('unknown', name)
      return []
    },
    async clear(name) {
      const found = await find(name)
      if (found) await clearConversation(deps, who, found.conversationId)
      return found !== undefined
    },
  }
  return withNodeErrors(conversations)
}

function requireApp({ appId, botId }: ConversationContext): string {
  if (appId !== undefined && botId === undefined) return appId
  throw new NodeError(
    nodeErrors.appNeeded,
    'Conversation nodes are unavailable in agent scenarios and require an app binding: run the workflow with an app_id',
  )
}

function refusal(kind: 'unknown' | 'declared', name: string): NodeError {
  const quoted = JSON.stringify(name.slice(0, 100))
  if (kind === 'unknown') return new NodeError(nodeErrors.conversationNotFound, `conversation not found: the app has none named ${quoted}`)
  return new NodeError(
    nodeErrors.conversationFixed,
    `Only conversation created through nodes are allowed to be modified or deleted: ${quoted} is declared by the app`,
  )
}

async function listRounds(
  deps: ConversationDeps,
  { who, conversationId: chatsOwn, chatId }: ConversationContext,
  { conversationId, rounds }: { conversationId: string; rounds: number },
) {
  const { sectionId } = await getConversation(deps, who, conversationId)
  const now = deps.nextId()
  const beforeRunId = conversationId === chatsOwn && chatId !== undefined ? chatId : now
  const messages = await listHistory(deps.db, { conversationId, sectionId, beforeId: now, beforeRunId, rounds, maxMessages: MAX_MESSAGES })
  return messages.map((message) => ({ role: message.role, content: messageText(message) }))
}

function withNodeErrors(conversations: NamedConversations): NamedConversations {
  const told = <T>(work: Promise<T>) =>
    orNodeError(work, { code: nodeErrors.conversationFailed, prefix: 'Conversation node operation failure' })
  return {
    create: (name) => told(conversations.create(name)),
    rename: (name, newName) => told(conversations.rename(name, newName)),
    delete: (name) => told(conversations.delete(name)),
    list: () => told(conversations.list()),
    history: (name, rounds) => told(conversations.history(name, rounds)),
    clear: (name) => told(conversations.clear(name)),
  }
}
