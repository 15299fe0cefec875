import type { Principal } from '../accounts/principal.ts'
import { listRunMessages } from '../conversations/message-store.ts'
import { once } from '../db/idempotency-store.ts'
import { AppError } from '../lib/app-error.ts'
import type { FinishedRun } from './execute-run.ts'
import { findRun } from './run-store.ts'
import type { Run } from './run-store.ts'
import { startRun } from './start-run.ts'
import type { ChatRequest, StartRunDeps, StartedRun } from './start-run.ts'

/** Starts the run; a request with the Idempotency-Key of an earlier one attaches to that one's run, live or ended. */
export async function startRunOnce(deps: StartRunDeps, who: Principal, request: ChatRequest): Promise<StartedRun> {
  if (!request.idempotency) return startRun(deps, who, request)
  return once(deps.db, request.idempotency, {
    perform: () => startRun(deps, who, request),
    replay: async (runId) => {
      const run = await findRun(deps.db, runId)
      if (!run) throw new AppError('not_found', 'the chat of this Idempotency-Key is gone')
      const finished = untilFinished(deps, run)
      // nobody may be waiting for it
      finished.catch(deps.onError)
      return { run, finished }
    },
  })
}

async function untilFinished({ db, journal }: StartRunDeps, run: Run): Promise<FinishedRun> {
  const position = { runId: run.id, cursor: 0, signal: new AbortController().signal }
  for await (const page of journal.follow(position)) {
    if (page.at(-1)?.last) break
  }
  const ended = await findRun(db, run.id)
  const messages = await listRunMessages(db, run.id)
  return { run: ended ?? run, answer: messages.findLast((message) => message.type === 'answer') }
}
