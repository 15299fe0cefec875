import type { Principal } from '../accounts/principal.ts'
import type { BotVersion } from '../bots/bot-config.ts'
import { findRunVersion } from '../bots/draft-bots.ts'
import { claimConversation } from '../conversations/conversation-store.ts'
import { deleteStopRequest } from '../db/stop-request-store.ts'
import { findLastEntry } from '../journal/journal-store.ts'
import { AppError } from '../lib/app-error.ts'
import type { ModelMessage } from '../models/model-adapter.ts'
import { conversationBusy } from './busy-conversation.ts'
import { executeRun } from './execute-run.ts'
import { findWaiting, updateRunStart } from './run-store.ts'
import type { Run } from './run-store.ts'
import { getRun } from './runs.ts'
import type { RunAddress } from './runs.ts'
import type { StartRunDeps, StartedRun } from './start-run.ts'
import { parseWaiting } from './waiting-run.ts'
import type { WaitingRun } from './waiting-run.ts'

export type ToolOutput = { toolCallId: string; output: string }
export type ToolOutputsRequest = { address: RunAddress; outputs: ToolOutput[]; stream: boolean }

/** A run that goes on: readers who have its events up to `cursor` get the rest. */
export type ResumedRun = StartedRun & { cursor: number }

/**
 * Gives a waiting run what its caller's functions answered, and lets it go on. Throws
 * `invalid_request` unless there is one output for each call, `conflict` when the run does not wait.
 */
export async function submitToolOutputs(
  deps: StartRunDeps,
  who: Principal,
  { address, outputs, stream }: ToolOutputsRequest,
): Promise<ResumedRun> {
  const run = await getRun(deps, who, address)
  if (run.status !== 'requires_action') throw notWaiting(run.status)
  deps.liveRuns.assertRoom()
  const stored = await findWaiting(deps.db, run.id)
  // somebody else's outputs came first, just now
  if (stored === '') throw notWaiting('in_progress')
  const waiting = parseWaiting(stored)
  const results = matchOutputs(waiting, outputs)
  const bot = await findRunVersion(deps.db, run)
  if (!bot) throw new AppError('not_found', 'the version of the bot that started this chat is gone')

  const { seq } = await findLastEntry(deps.db, run.id)
  // @NOTE from here to its start nothing may fail: a run that is taken up and not executed holds its conversation
  const admitted = deps.admission.admit(who, run.id)
  if (admitted) await admitted
  await takeUp(deps, run).catch(async (cause: unknown) => {
    await deps.admission.leave(run.id)
    throw cause
  })
  const plan = toPlan(deps, who, { run, bot, waiting, results, stream, firstSeq: seq + 1 })
  return { run: plan.run, cursor: seq, finished: deps.liveRuns.start(run.id, (signal) => executeRun(deps, plan, signal)) }
}

/** One result for each call, in the order of the calls. */
function matchOutputs({ calls }: WaitingRun, outputs: ToolOutput[]): ModelMessage[] {
  const unknown = outputs.find((output) => !calls.some((call) => call.id === output.toolCallId))
  if (unknown) throw new AppError('invalid_request', `tool_outputs: the chat does not wait for ${unknown.toolCallId}`)

  return calls.map((call) => {
    const given = outputs.filter((output) => output.toolCallId === call.id)
    const [output] = given
    if (!output) throw new AppError('invalid_request', `tool_outputs: the output of ${call.id} (${call.name}) is missing`)
    if (given.length > 1) throw new AppError('invalid_request', `tool_outputs: ${call.id} is there twice`)
    return { role: 'tool', toolCallId: call.id, content: output.output }
  })
}

/** Of two submissions at once one goes on, the other is told. */
async function takeUp({ db, clock, workerToken }: StartRunDeps, run: Run): Promise<void> {
  await db.transaction().execute(async (tx) => {
    if (!(await updateRunStart(tx, run.id, { from: 'requires_action', workerToken, now: clock() }))) throw notWaiting('in_progress')
    if (!(await claimConversation(tx, run.conversationId, { runId: run.id, now: clock() }))) throw conversationBusy()
    // of a cancel that came too late for what it did before
    await deleteStopRequest(tx, run.id)
  })
}

type Resuming = { run: Run; bot: BotVersion; waiting: WaitingRun; results: ModelMessage[]; stream: boolean; firstSeq: number }

function toPlan(deps: StartRunDeps, who: Principal, { run, bot, waiting, results, stream, firstSeq }: Resuming) {
  const { input, hasHistory, firstMessageId, variables, parameters, functions, turn, rounds } = waiting
  return {
    run: { ...run, status: 'in_progress' as const, requiredCalls: [], workerToken: deps.workerToken },
    ...{ bot, input, hasHistory, firstMessageId, variables, parameters, functions, stream, isStateless: false },
    readFile: deps.readFile(who),
    resumed: { firstSeq, turn: [...turn, ...results], rounds },
  }
}

const notWaiting = (status: string) => new AppError('conflict', `the chat does not wait for tool outputs: it is ${status}`)
