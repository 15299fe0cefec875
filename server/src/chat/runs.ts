import { mayUseBot } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import { findOwnConversation, isOwnChoice } from '../conversations/conversations.ts'
import { listRunMessages } from '../conversations/message-store.ts'
import type { Message } from '../conversations/message-store.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { RunStops } from '../journal/run-stops.ts'
import { findRun } from './run-store.ts'
import type { Run } from './run-store.ts'

export type RunsDeps = { db: Db; stops: RunStops }
export type RunAddress = { runId: string; conversationId: string }

/** The caller's own chat; any other does not exist for it. */
export async function getRun({ db }: Pick<RunsDeps, 'db'>, who: Principal, { runId, conversationId }: RunAddress): Promise<Run> {
  const run = await findRun(db, runId)
  if (run?.ownerId !== who.userId || !isInReach(who, run)) throw new AppError('not_found', 'chat not found')

  const expected = isOwnChoice(conversationId) ? (await findOwnConversation({ db }, who, conversationId))?.id : conversationId
  if (run.conversationId !== expected) throw new AppError('not_found', 'chat not found')
  return run
}

const isInReach = (who: Principal, { botId, endUser }: Run): boolean =>
  mayUseBot(who, botId) && (!who.access?.token || who.access.token.endUser === endUser)

/** What the chat has produced so far, oldest first. */
export async function getRunMessages(deps: Pick<RunsDeps, 'db'>, who: Principal, address: RunAddress): Promise<Message[]> {
  await getRun(deps, who, address)
  return listRunMessages(deps.db, address.runId)
}

/**
 * Ends a running chat, on whatever server it runs: the model's call is closed, no text follows, what came so far is kept.
 * Resolves when that is stored. Throws `cannot_cancel` when the chat has ended already.
 */
export async function cancelRun(deps: RunsDeps, who: Principal, address: RunAddress): Promise<Run> {
  const run = await getRun(deps, who, address)
  if (!isRunning(run)) throw cannotCancel(run)

  await deps.stops.stop(run.id, async () => !isRunning(await getRun(deps, who, address)))

  const after = await getRun(deps, who, address)
  // it may have ended by itself between the look and the stop
  if (after.status !== 'canceled') throw cannotCancel(after)
  return after
}

const isRunning = ({ status }: Run) => status === 'created' || status === 'in_progress'

function cannotCancel(run: Run): AppError {
  return new AppError('cannot_cancel', `the chat cannot be canceled: it is ${run.status}`)
}
