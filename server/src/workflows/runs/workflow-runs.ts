import { hash } from 'node:crypto'
import { mayUseWorkflow } from '../../accounts/principal.ts'
import type { Principal } from '../../accounts/principal.ts'
import { claimConversation } from '../../conversations/conversation-store.ts'
import { insertMessage } from '../../conversations/message-store.ts'
import type { Message } from '../../conversations/message-store.ts'
import { inTransaction } from '../../db/database.ts'
import { insertIdempotency, once } from '../../db/idempotency-store.ts'
import type { IdempotencyKey } from '../../db/idempotency-store.ts'
import { deleteStopRequest } from '../../db/stop-request-store.ts'
import { findLastEntry, segmentInsert } from '../../journal/journal-store.ts'
import { AppError } from '../../lib/app-error.ts'
import { pause } from '../../lib/background.ts'
import type { NodeRecord } from '../engine/progress.ts'
import { attachToRun } from './attach-run.ts'
import { claimRun } from './claim-run.ts'
import { continueWorkflowRun } from './continue-workflow-run.ts'
import type { WorkflowRunDeps } from './execute-workflow-run.ts'
import { findNodeRun, listNodeRunPage, listNodeRunPaths } from './node-run-store.ts'
import type { StartedWorkflowRun } from './start-workflow-run.ts'
import { closingEvents, endUnit, endedRun } from './workflow-run-ending.ts'
import type { RunEnding } from './workflow-run-ending.ts'
import { findWorkflowRun, listWorkflowRuns } from './workflow-run-store.ts'
import { isOver, isPartOfChat } from './workflow-run.ts'
import type { ChatflowTurn, EventAnswer, WorkflowRun } from './workflow-run.ts'

/** The caller's own run; any other does not exist for it. Without a workflow id it may be any workflow's. */
export async function getWorkflowRun(
  { db }: Pick<WorkflowRunDeps, 'db'>,
  who: Principal,
  { runId, workflowId }: { runId: string; workflowId?: string },
): Promise<WorkflowRun> {
  const run = await findWorkflowRun(db, runId)
  const isOwn = run?.ownerId === who.userId && mayUseWorkflow(who, run.workflowId)
  if (!isOwn || (workflowId !== undefined && run.workflowId !== workflowId))
    throw new AppError('not_found', 'the run does not exist: check execute_id and workflow_id')
  return run
}

export type HistoryRequest = { workflowId: string; page: number; size: number }

/** The caller's runs of a workflow, newest first. */
export async function listOwnWorkflowRuns(
  { db }: Pick<WorkflowRunDeps, 'db'>,
  who: Principal,
  { workflowId, page, size }: HistoryRequest,
): Promise<{ runs: WorkflowRun[]; hasMore: boolean }> {
  const runs = await listWorkflowRuns(db, { workflowId, ownerId: who.userId, limit: size + 1, offset: (page - 1) * size })
  return { runs: runs.slice(0, size), hasMore: runs.length > size }
}

/** What its nodes did, in the order in which they began: passes of loops, sub-workflows and their nodes included. */
export async function listOwnNodeRuns(
  deps: Pick<WorkflowRunDeps, 'db'>,
  who: Principal,
  request: { runId: string; workflowId?: string; page: number; size: number },
): Promise<{ nodes: NodeRecord[]; hasMore: boolean }> {
  await getWorkflowRun(deps, who, request)
  const { runId, page, size } = request
  const nodes = await listNodeRunPage(deps.db, { runId, limit: size + 1, offset: (page - 1) * size })
  return { nodes: nodes.slice(0, size), hasMore: nodes.length > size }
}

/** The id of a node's execution within its run: made of its path, short and safe in a URL. */
export const toNodeRunId = (path: string): string => hash('sha256', path, 'base64url').slice(0, 22)

export async function getOwnNodeRun(
  deps: Pick<WorkflowRunDeps, 'db'>,
  who: Principal,
  { nodeRunId, ...address }: { runId: string; workflowId?: string; nodeRunId: string },
): Promise<NodeRecord> {
  await getWorkflowRun(deps, who, address)
  const path = (await listNodeRunPaths(deps.db, address.runId)).find((each) => toNodeRunId(each) === nodeRunId)
  const node = path === undefined ? undefined : await findNodeRun(deps.db, address.runId, path)
  if (!node) throw new AppError('not_found', 'the run has no such execution of a node: check node_execute_uuid')
  return node
}

/** `eventId` is as callers know it: `<run>/<event>`. */
export type ResumeRequest = {
  workflowId: string
  eventId: string
  data: string
  /** Of a chat: stored with the answer that it is. */
  question?: Message
  /** Of a bot's chat: its own place in the conversation, where the run goes on. */
  chat?: ChatflowTurn
  /** The same answer sent again is the same answer. */
  idempotency?: IdempotencyKey
}

/** Its new events come after the cursor. */
export type ResumedWorkflowRun = StartedWorkflowRun & { cursor: number }

/**
 * Gives a waiting run the answer to what it waits for first. Of several at once one is taken.
 * Throws `not_found` for an event of nobody's, `conflict` for one that is not waited for (any more, or not yet).
 */
export async function resumeWorkflowRun(deps: WorkflowRunDeps, who: Principal, request: ResumeRequest): Promise<ResumedWorkflowRun> {
  return once(deps.db, request.idempotency, {
    perform: () => resume(deps, who, request),
    replay: (runId) => attachToRun(deps, runId),
  })
}

async function resume(
  deps: WorkflowRunDeps,
  who: Principal,
  { workflowId, eventId, data, question, chat, idempotency }: ResumeRequest,
): Promise<ResumedWorkflowRun> {
  const [runId = '', ownEventId = '', ...rest] = eventId.split('/')
  if (!/^\d{1,19}$/.test(runId) || ownEventId === '' || rest.length > 0)
    throw new AppError('invalid_request', 'event_id must be as the Interrupt event has it: <execute_id>/<event_id>')

  const run = await getWorkflowRun(deps, who, { runId, workflowId })
  const [first] = run.waiting
  if (run.status !== 'waiting') throw new AppError('conflict', `the run does not wait for an answer: it is ${run.status}`)
  if (first?.id !== ownEventId) throw new AppError('conflict', notFirst(run, ownEventId))
  if (!chat) assertMayGoOn(deps, run)
  const { seq: cursor } = await findLastEntry(deps.db, run.id)
  await deps.admission.admit(who, run.id)
  const claimed = await inTransaction(deps.db, async (tx) => {
    await insertIdempotency(tx, idempotency, { id: run.id, now: deps.clock() })
    if (question) await insertMessage(tx, question)
    return claimAnswered({ ...deps, db: tx }, run, { answer: { eventId: ownEventId, data }, chat: chat ?? run.chat })
  }).catch(async (cause: unknown) => {
    await deps.admission.leave(run.id)
    throw cause
  })
  return { run: claimed, cursor, finished: continueWorkflowRun(deps, claimed) }
}

/** What a chat with a bot has begun goes on in such a chat, which has its place. */
function assertMayGoOn({ liveRuns }: WorkflowRunDeps, run: WorkflowRun): void {
  if (isPartOfChat(run)) throw new AppError('conflict', 'the run belongs to a chat with a bot: answer with the next chat')
  liveRuns.assertRoom()
}

type Answering = { answer: EventAnswer; chat: ChatflowTurn | undefined }

/** The run, and the conversation that it is a chat of; a bot's chat has that already. */
async function claimAnswered(deps: WorkflowRunDeps, run: WorkflowRun, change: Answering): Promise<WorkflowRun> {
  const claimed = await claimRun(deps, run, { status: 'running', ...change })
  // of a cancel that came too late for what it did before
  await deleteStopRequest(deps.db, run.id)
  if (!claimed) throw new AppError('conflict', 'the run has been given an answer to this already')

  if (!run.chat || isPartOfChat(run) || (await claimConversation(deps.db, run.chat.conversationId, { runId: run.id, now: deps.clock() })))
    return claimed
  throw new AppError('conversation_busy', 'a chat is running in this conversation: wait for its end, or cancel it')
}

function notFirst(run: WorkflowRun, eventId: string): string {
  const isQueued = run.waiting.some(({ id }) => id === eventId)
  return isQueued
    ? 'another event of this run has to be answered first: answer the one of the last Interrupt'
    : 'this event was answered already, or is not of this run'
}

/**
 * Ends a run, running on whatever server, or waiting: nothing more of it is executed. Resolves when that is stored.
 * Throws `cannot_cancel` when it is over already.
 */
export async function cancelWorkflowRun(
  deps: WorkflowRunDeps,
  who: Principal,
  address: { runId: string; workflowId?: string },
): Promise<WorkflowRun> {
  for (let looks = 1; looks <= MAX_LOOKS; looks++) {
    const run = await getWorkflowRun(deps, who, address)
    if (isOver(run)) throw cannotCancel(run)
    if (run.status === 'running') await deps.stops.stop(run.id, async () => (await findWorkflowRun(deps.db, run.id))?.status !== 'running')
    else await cancelIdle(deps, run)

    const after = await getWorkflowRun(deps, who, address)
    if (after.status === 'canceled') return after
    if (isOver(after)) throw cannotCancel(after)
    // it has gone on, or waits, since it was looked at
    await pause(LOOK_AGAIN_MS)
  }
  throw new AppError('unavailable', 'the run changes all the time: try again shortly')
}

const MAX_LOOKS = 4
const LOOK_AGAIN_MS = 50

const cannotCancel = ({ status }: WorkflowRun) => new AppError('cannot_cancel', `the run cannot be canceled: it is ${status}`)

/** One that waits, for somebody or in the queue: nobody executes it. */
async function cancelIdle({ db, commits, nextId, clock, admission }: WorkflowRunDeps, run: WorkflowRun): Promise<void> {
  const { seq } = await findLastEntry(db, run.id)
  const now = clock()
  const ending: RunEnding = { before: run, outcome: { kind: 'canceled' }, usage: run.usage, said: [], now }
  const unit = endUnit({ nextId, clock }, ending)
  const events = closingEvents(endedRun(ending))
  const segment = segmentInsert({ runId: run.id, firstSeq: seq + 1, events }, { now, endsRun: true })
  try {
    await commits.write({ ...unit, insert: { ...unit.insert, journal_segment: [segment] } })
    if (run.status === 'queued') await admission.leaveAnywhere(run)
  } catch (cause) {
    // somebody answered it at the same moment: it runs
    if (!(cause instanceof AppError)) throw cause
  }
}
