import type { Principal } from '../accounts/principal.ts'
import { API_CONNECTOR_ID } from '../conversations/conversations.ts'
import { AppError } from '../lib/app-error.ts'
import { PUBLISHED } from '../workflows/workflow-catalog.ts'
import type { FileUrl } from '../workflows/runs/chatflow-input.ts'
import type { StartWorkflowDeps, StartedWorkflowRun, WorkflowRunRequest } from '../workflows/runs/start-workflow-run.ts'
import { cancelWorkflowRun } from '../workflows/runs/workflow-runs.ts'
import type { ChatflowTurn, SaidBefore, WorkflowRun } from '../workflows/runs/workflow-run.ts'
import type { Run } from './run-store.ts'

/** Runs of workflows that are parts of a chat: its answer, or what its model calls. None outlives the chat. */
export type ChatWorkflows = StartWorkflowDeps & { fileUrl: FileUrl }

/** `firstMessageId`: history ends before it. `earlier` is what was said before the question and is not stored. */
export type ChatPlace = { run: Run; firstMessageId: string; earlier?: SaidBefore[] }

export const ownerOf = ({ ownerId, keyId }: Run): Principal => ({ userId: ownerId, keyId })

/** What every run of a workflow has from its chat. */
export function partOf(place: ChatPlace): Omit<WorkflowRunRequest, 'workflowId' | 'parameters' | 'mode'> {
  const { id, botId, endUser } = place.run
  return { version: PUBLISHED, botId, endUser, connectorId: API_CONNECTOR_ID, logId: id, isStrict: true, chat: toTurn(place) }
}

export function toTurn({ run, firstMessageId, earlier = [] }: ChatPlace): ChatflowTurn {
  const { id: chatId, conversationId, sectionId, clientStyle: style } = run
  // what it says is stored as the chat's
  return { conversationId, sectionId, firstMessageId, savesHistory: false, style, chatId, earlier }
}

/** Resolves when the run has ended or waits. It is canceled when the signal aborts. */
export async function untilEnded(
  { liveRuns }: Pick<ChatWorkflows, 'liveRuns'>,
  { run, finished }: StartedWorkflowRun,
  signal: AbortSignal,
): Promise<WorkflowRun> {
  const cancel = () => void liveRuns.stop(run.id, 'canceled')
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    return await finished
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** For a run that waits for somebody who will not answer. */
export async function giveUpWaiting(workflows: ChatWorkflows, chat: Run, { id }: WorkflowRun): Promise<void> {
  try {
    await cancelWorkflowRun(workflows, ownerOf(chat), { runId: id })
  } catch (cause) {
    // it does not wait any more
    if (!(cause instanceof AppError)) throw cause
  }
}
