import { getOwnApp } from '../../bots/apps.ts'
import { listOwnMessages } from '../../conversations/conversations.ts'
import type { ConversationDeps } from '../../conversations/conversations.ts'
import { changeMessage, createMessage, deleteMessage } from '../../conversations/messages.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { DEFAULT_CONVERSATION, getOrCreateAppConversation, isDeclaredConversation } from './app-conversations.ts'
import { findNamed, orNodeError } from './conversation-lookup.ts'
import { isMessageId } from './message-id.ts'
import { messageText } from './message-text.ts'
import type { ConversationContext, ConversationMessages } from './workflow-conversations.ts'

const MAX_CONTENT = 1_000_000

export function createConversationMessages(deps: ConversationDeps, context: ConversationContext): ConversationMessages {
  const { who } = context

  return {
    async createMessage(name, { role, content }) {
      assertContent(content)
      const conversationId = (await findConversationId(deps, context, name)) ?? (await openDeclared(deps, context, name))
      if (conversationId === undefined) return undefined

      const { id } = await told(createMessage(deps, who, { conversationId, input: { role, content, contentType: 'text' } }))
      return id
    },
    async editMessage(name, { messageId, content }) {
      assertContent(content)
      const conversationId = await findConversationId(deps, context, name)
      if (conversationId === undefined) return false

      assertMessageId(messageId)
      await told(changeMessage(deps, who, { conversationId, messageId, text: { content, contentType: 'text' }, metaData: undefined }))
      return true
    },
    async deleteMessage(name, messageId) {
      const conversationId = await findConversationId(deps, context, name)
      if (conversationId === undefined) return false

      assertMessageId(messageId)
      await told(deleteMessage(deps, who, { conversationId, messageId }))
      return true
    },
    async listMessages(name, page) {
      const conversationId = await findConversationId(deps, context, name)
      if (conversationId === undefined) return { messages: [], hasMore: false }

      const { messages, hasMore } = await told(listOwnMessages(deps, who, { conversationId, order: 'desc', ...page }))
      const listed = messages.map((message) => ({
        ...{ messageId: message.id, role: message.role, contentType: message.contentType, content: messageText(message) },
      }))
      return { messages: listed, hasMore }
    },
  }
}

async function findConversationId(deps: ConversationDeps, context: ConversationContext, name: string): Promise<string | undefined> {
  const { appId, botId, conversationId } = context
  if (appId !== undefined) return (await told(findNamed(deps, context, { appId, name })))?.conversationId

  if (name !== DEFAULT_CONVERSATION)
    throw new NodeError(
      nodeErrors.onlyDefaultConversation,
      'Only default conversation allow in agent scenario: conversationName must be "Default", or the workflow be run with an app_id',
    )
  return botId === undefined ? undefined : conversationId
}

/** A conversation that the app declares is there for whoever writes to it first. */
async function openDeclared(
  deps: ConversationDeps,
  { who, appId, endUser }: ConversationContext,
  name: string,
): Promise<string | undefined> {
  if (appId === undefined || !isDeclaredConversation(await told(getOwnApp(deps, who, appId)), name)) return undefined
  const { conversationId } = await told(getOrCreateAppConversation(deps, who, { appId, endUser, name }))
  return conversationId
}

const PREFIX = 'Message node operation failure'
const told = <T>(work: Promise<T>): Promise<T> => orNodeError(work, { code: nodeErrors.messageFailed, prefix: PREFIX })

function assertMessageId(messageId: string): void {
  if (isMessageId(messageId)) return
  throw new NodeError(nodeErrors.messageFailed, `${PREFIX}: message not found: ${JSON.stringify(messageId.slice(0, 50))} is no message id`)
}

function assertContent(content: string): void {
  if (content.length <= MAX_CONTENT) return
  throw new NodeError(nodeErrors.invalidParameter, `a message must have at most ${MAX_CONTENT} characters, not ${content.length}`)
}
