import { claimConversation, findActiveRun } from '../conversations/conversation-store.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { pause } from '../lib/background.ts'
import type { Clock } from '../lib/clock.ts'
import { countQueuedRuns, hasEarlierQueuedRun, updateRunStart } from './run-store.ts'
import type { Run } from './run-store.ts'

/** One conversation runs one chat at a time: what a second one may do. */
export const conversationBusy = (): AppError =>
  new AppError('conversation_busy', 'a chat is already running in this conversation: wait for its end, cancel it, or send if_busy')

const MAX_QUEUED = 20
const LOOK_EVERY_MS = 50

export async function assertQueueRoom(db: Db, conversationId: string): Promise<void> {
  if ((await countQueuedRuns(db, conversationId)) < MAX_QUEUED) return
  throw new AppError('rate_limited', `${MAX_QUEUED} chats are waiting for this conversation already: try again later`)
}

export type TurnDeps = { db: Db; clock: Clock; workerToken: string }

/** Resolves when the queued run has the conversation: after the one that is running, and after those that queued before it. */
export async function waitForTurn(deps: TurnDeps, run: Run, signal: AbortSignal): Promise<void> {
  while (!(await takeTurn(deps, run))) {
    await pause(LOOK_EVERY_MS, signal)
    signal.throwIfAborted()
  }
}

function takeTurn({ db, clock, workerToken }: TurnDeps, run: Run): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    if (await hasEarlierQueuedRun(tx, run.conversationId, run.id)) return false
    if (await claimConversation(tx, run.conversationId, { runId: run.id, now: clock() })) {
      // its end came first: the claim is undone with this transaction
      if (!(await updateRunStart(tx, run.id, { from: 'created', workerToken, now: clock() })))
        throw new AppError('conflict', 'the chat has ended already')
      return true
    }
    // a conversation that is gone has no running chat either: nobody would ever free it
    if ((await findActiveRun(tx, run.conversationId)) === undefined) throw new AppError('not_found', 'the conversation was deleted')
    return false
  })
}
