import type { Principal } from '../accounts/principal.ts'
import type { BotConfig } from '../bots/bot-config.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { findWorkflow } from './workflow-store.ts'
import type { Workflow } from './workflow-record.ts'

/** Throws `invalid_request` where a bot names a workflow that its owner does not have, or lets one answer that is no chatflow. */
export async function assertBotWorkflows(
  { db }: { db: Db },
  who: Principal,
  { workflows, mode, chatflowId }: Pick<BotConfig, 'workflows' | 'mode' | 'chatflowId'>,
): Promise<void> {
  for (const workflowId of workflows) await getOwnWorkflow(db, who, workflowId)
  if (mode === 'agent') return

  const answering = await getOwnWorkflow(db, who, chatflowId)
  if (answering.mode !== 'chatflow')
    throw new AppError('invalid_request', `the workflow ${chatflowId} of the bot is no chatflow, so it cannot answer chats`)
}

async function getOwnWorkflow(db: Db, who: Principal, workflowId: string): Promise<Workflow> {
  const workflow = workflowId === '' ? undefined : await findWorkflow(db, workflowId)
  if (workflow?.ownerId !== who.userId)
    throw new AppError('invalid_request', `the bot uses the workflow ${workflowId || '(none)'}, which its owner does not have`)
  return workflow
}
