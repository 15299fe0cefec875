import { mayUseBot, mayUseWorkflow } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import type { Db } from '../db/database.ts'
import { findWorkflowsIn } from './conversation-reach-store.ts'
import type { Conversation } from './conversation-store.ts'

/**
 * Whether the caller's key reaches the conversation: the conversation is of a bot that the key may use. One without a bot is of the
 * workflows that have run in it, or of the app that has a name for it. A token reaches those of its own end user.
 */
export async function isInReach(db: Db, who: Principal, conversation: Conversation): Promise<boolean> {
  const { access } = who
  if (!access) return true
  const { id, botId, endUser } = conversation
  if (access.token) return botId === access.token.botId && endUser === access.token.endUser && mayUseBot(who, botId)
  if (botId !== undefined) return mayUseBot(who, botId)
  if (!access.botIds && !access.workflowIds) return true

  const { workflowIds, isNamed } = await findWorkflowsIn(db, id)
  if (workflowIds.length > 0) return workflowIds.every((workflowId) => mayUseWorkflow(who, workflowId))
  return isNamed || !access.botIds
}
