import type { Principal } from '../accounts/principal.ts'
import type { Conversation } from '../conversations/conversation-store.ts'
import { assertFreeChoice, draftConversation, findOwnConversation, isOwnChoice } from '../conversations/conversations.ts'
import type { ConversationDeps } from '../conversations/conversations.ts'
import { AppError } from '../lib/app-error.ts'

export type OpenRequest = { botId: string; conversationId?: string; endUser?: string; connectorId?: string }

/** The conversation a chat goes into: the one that is named, or a new one that is not stored yet. */
export async function openConversation(
  deps: ConversationDeps,
  who: Principal,
  { conversationId, endUser, connectorId, botId }: OpenRequest,
): Promise<{ conversation: Conversation; isNew: boolean }> {
  if (conversationId === undefined) return { conversation: draftConversation(deps, who, { botId, endUser, connectorId }), isNew: true }

  const conversation = await findOwnConversation(deps, who, conversationId)
  if (!conversation) {
    if (!isOwnChoice(conversationId)) throw new AppError('not_found', 'conversation not found')
    // an id of the caller's own choice names a conversation from its first use on
    await assertFreeChoice(deps, who, conversationId)
    return { conversation: draftConversation(deps, who, { botId, endUser, externalId: conversationId }), isNew: true }
  }
  if (conversation.botId !== undefined && conversation.botId !== botId)
    throw new AppError('not_found', `conversation not found: it belongs to another bot (${conversation.botId})`)
  // end users of one key are kept apart: one cannot go on with another's conversation
  if (endUser !== undefined && conversation.endUser !== '' && conversation.endUser !== endUser)
    throw new AppError('not_found', 'conversation not found: it belongs to another user_id')
  return { conversation, isNew: false }
}
