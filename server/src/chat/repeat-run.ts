import { mayUseBot } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import { once } from '../db/idempotency-store.ts'
import { AppError } from '../lib/app-error.ts'
import { pause } from '../lib/background.ts'
import type { CompletedMessage } from './chat-event.ts'
import type { FinishedRun } from './execute-run.ts'
import { followRun } from './follow-run.ts'
import { findRun } from './run-store.ts'
import type { Run } from './run-store.ts'
import { startRun } from './start-run.ts'
import type { ChatRequest, StartRunDeps, StartedRun } from './start-run.ts'

/** Starts the run; a request with the Idempotency-Key of an earlier one attaches to that one's run, live or ended. */
export async function startRunOnce(deps: StartRunDeps, who: Principal, request: ChatRequest): Promise<StartedRun> {
  if (!request.idempotency) return startRun(deps, who, request)
  return once(deps.db, request.idempotency, {
    perform: () => startRun(deps, who, request).catch(giveTime),
    replay: async (runId) => {
      const run = await findRun(deps.db, runId)
      if (!run || !mayUseBot(who, run.botId)) throw new AppError('not_found', 'the chat of this Idempotency-Key is gone')
      const finished = untilFinished(deps, run)
      // nobody may be waiting for it
      finished.catch(deps.onError)
      return { run, finished }
    },
  })
}

const STORED_WITHIN_MS = 100

/** Of several that come together one takes the last place of their api key: the others find its run, as soon as that is stored. */
async function giveTime(cause: unknown): Promise<never> {
  if (cause instanceof AppError && cause.code === 'rate_limited') await pause(STORED_WITHIN_MS)
  throw cause
}

async function untilFinished({ db, journal }: StartRunDeps, run: Run): Promise<FinishedRun> {
  const position = { runId: run.id, cursor: 0, signal: new AbortController().signal }
  let answer: CompletedMessage | undefined
  for await (const page of followRun({ db, journal }, position)) {
    for (const { event } of page) if (event.type === 'message_completed' && event.message.type === 'answer') answer = event.message
  }
  return { run: (await findRun(db, run.id)) ?? run, answer }
}
