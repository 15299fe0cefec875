import type { ConversationDeps } from '../../conversations/conversations.ts'
import { AppError } from '../../lib/app-error.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { AppConversation } from './app-conversation-store.ts'
import { findOwnAppConversation, findOwnAppConversationById } from './app-conversations.ts'
import type { ConversationContext } from './workflow-conversations.ts'

/** The app's conversation of that name: the running chat's own one, whoever began it, or else the end user's. */
export async function findNamed(
  deps: ConversationDeps,
  { who, endUser, conversationId }: ConversationContext,
  { appId, name }: { appId: string; name: string },
): Promise<AppConversation | undefined> {
  const running = conversationId === undefined ? undefined : await findOwnAppConversationById(deps, who, { appId, endUser, conversationId })
  return running?.name === name ? running : findOwnAppConversation(deps, who, { appId, endUser, name })
}

/** What a use case refuses, in words for the builder of the workflow. */
export async function orNodeError<T>(work: Promise<T>, { code, prefix }: { code: number; prefix: string }): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause
    throw new NodeError(cause.code === 'invalid_request' ? nodeErrors.invalidParameter : code, `${prefix}: ${cause.message}`, { cause })
  }
}
