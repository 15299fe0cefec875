import { releaseConversation } from '../../conversations/conversation-store.ts'
import { draftMessage } from '../../conversations/conversations.ts'
import { messageInsert } from '../../conversations/message-store.ts'
import type { WriteUnit } from '../../db/group-commit.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Clock } from '../../lib/clock.ts'
import type { NextId } from '../../lib/snowflake.ts'
import type { TokenUsage } from '../engine/node-type.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'
import type { SaidMessage } from './run-speaker.ts'
import type { WorkflowEvent } from './workflow-event.ts'
import { updateWorkflowRun } from './workflow-run-store.ts'
import type { WorkflowRun, WorkflowRunError } from './workflow-run.ts'

/** How a run ends or pauses: what its readers are told and what is stored, in one transaction. */
export type RunOutcome =
  | { kind: 'succeeded'; output: string; isAnswer: boolean }
  | { kind: 'waiting'; events: WaitingEvent[] }
  | { kind: 'failed'; error: WorkflowRunError }
  | { kind: 'canceled' }

export type RunEnding = { before: WorkflowRun; outcome: RunOutcome; usage: TokenUsage; said: SaidMessage[]; now: number }

/** The run with its end recorded. */
export function endedRun({ before, outcome, usage, now }: RunEnding): WorkflowRun {
  const run = { ...before, usage, updatedAt: now, answer: undefined, waiting: [] }
  switch (outcome.kind) {
    case 'waiting':
      return { ...run, status: 'waiting', waiting: queueOf(before, outcome.events) }
    case 'succeeded':
      return { ...run, status: 'succeeded', output: outcome.output, isAnswer: outcome.isAnswer, finishedAt: now }
    case 'failed':
      return { ...run, status: 'failed', error: outcome.error, finishedAt: now }
    case 'canceled':
      return { ...run, status: 'canceled', finishedAt: now }
  }
}

/**
 * Who is answered next. Events that waited before keep their order; when the node that was answered
 * asks again, that comes first; what is new comes last.
 */
export function queueOf({ waiting, answer }: Pick<WorkflowRun, 'waiting' | 'answer'>, events: WaitingEvent[]): WaitingEvent[] {
  const answered = waiting.find((event) => event.id === answer?.eventId)
  const kept = waiting.filter((event) => event !== answered && events.some(({ id }) => id === event.id))
  const fresh = events.filter((event) => !waiting.some(({ id }) => id === event.id))
  const again = fresh.filter((event) => event.path === answered?.path)
  return [...again, ...kept, ...fresh.filter((event) => !again.includes(event))]
}

export function closingEvents(run: WorkflowRun): WorkflowEvent[] {
  const [event] = run.waiting
  const totals = { usage: run.usage, finishedAt: run.finishedAt }
  switch (run.status) {
    case 'waiting':
      return event ? [...askingMessage(run, event), { type: 'waiting', event }] : []
    case 'failed':
      return run.error ? [{ type: 'failed', error: run.error, ...totals }] : []
    case 'canceled':
      return [{ type: 'canceled', ...totals }]
    default:
      return [{ type: 'succeeded', ...totals }]
  }
}

/** What is asked, as it is; a chat has said it already, in words for people. */
function askingMessage({ chat }: WorkflowRun, { nodeId, nodeType, nodeTitle, data }: WaitingEvent): WorkflowEvent[] {
  return chat ? [] : [{ type: 'message', nodeId, nodeType, nodeTitle, seq: 0, content: data, isLast: true }]
}

/** Refused with a `conflict` when another process has taken the run over: then its end is the one that counts. */
export function endUnit(deps: { nextId: NextId; clock: Clock }, ending: RunEnding): WriteUnit {
  const { before, said, now } = ending
  const { status, output, isAnswer, usage, error, waiting, finishedAt } = endedRun(ending)
  const change = { status, output, isAnswer, usage, error, waiting, finishedAt, answer: 'none', updatedAt: now } as const
  return {
    async guard(tx) {
      const expected = { id: before.id, status: before.status, workerToken: before.workerToken }
      if (!(await updateWorkflowRun(tx, expected, change))) throw new AppError('conflict', 'the run is executed by another server')
    },
    insert: { message: chatMessages(deps, before, said) },
    update: async (tx) => before.chat && releaseConversation(tx, before.chat.conversationId, before.id),
  }
}

function chatMessages(deps: { nextId: NextId; clock: Clock }, { id, botId, chat }: WorkflowRun, said: SaidMessage[]) {
  if (!chat?.savesHistory) return []
  const origin = { conversationId: chat.conversationId, sectionId: chat.sectionId, runId: id, botId }
  return said.map((message) =>
    messageInsert({
      ...draftMessage(deps, origin, { role: 'assistant', content: message.text, contentType: message.contentType }),
      id: message.id,
    }),
  )
}
