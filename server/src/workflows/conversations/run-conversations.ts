import type { ConversationDeps } from '../../conversations/conversations.ts'
import { createConversationMessages } from './conversation-messages.ts'
import { createNamedConversations } from './named-conversations.ts'
import type { ConversationContext, WorkflowConversations } from './workflow-conversations.ts'

/** For one run. */
export const createWorkflowConversations = (deps: ConversationDeps, context: ConversationContext): WorkflowConversations => ({
  ...createNamedConversations(deps, context),
  ...createConversationMessages(deps, context),
})
