import type { OnCrash } from '../../db/tables.ts'
import type { WorkflowRunMode, WorkflowRunStatus } from '../../db/workflow-run-tables.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'
import type { TokenUsage } from '../engine/node-type.ts'
import type { ValueObject } from '../values/value.ts'

export type WorkflowRun = {
  id: string
  ownerId: string
  keyId: string | undefined
  workflowId: string
  /** Empty for a run of the draft. */
  version: string
  /** The one node that is tried out. */
  onlyNode: string | undefined
  appId: string | undefined
  botId: string | undefined
  /** The caller's own user id; empty when none was given. */
  endUser: string
  connectorId: string
  mode: WorkflowRunMode
  status: WorkflowRunStatus
  /** As they were given. */
  parameters: ValueObject
  /** What callers get as `data`: JSON text, of the results or of an answer. */
  output: string
  isAnswer: boolean
  usage: TokenUsage
  error: WorkflowRunError | undefined
  /** What it waits for; the first one is answered next. */
  waiting: WaitingEvent[]
  /** The answer it goes on with. */
  answer: EventAnswer | undefined
  /** Of a chatflow's run. */
  chat: ChatflowTurn | undefined
  onCrash: OnCrash
  /** How often another process went on with it. */
  recoveries: number
  logId: string
  workerToken: string
  createdAt: number
  updatedAt: number
  /** 0 while it is not over. */
  finishedAt: number
}

export type WorkflowRunError = { code: number; message: string }
export type EventAnswer = { eventId: string; data: string }

/** The place of a chatflow's run in its conversation. */
export type ChatflowTurn = {
  conversationId: string
  sectionId: string
  /** History ends before this message. */
  firstMessageId: string
  savesHistory: boolean
  /** The dialect its caller writes in. */
  style: string
  /**
   * Of a run that is a part of a bot's chat, as its answer or as a tool: the chat that runs it now, or has put its question. The
   * conversation is that chat's, and so is what is said.
   */
  chatId?: string
  /** What was said before the question and is not stored in the conversation. */
  earlier?: SaidBefore[]
}

export type SaidBefore = { role: 'user' | 'assistant'; content: string }

/** Such a run does not outlive its chat. */
export const isPartOfChat = ({ chat }: { chat?: ChatflowTurn }): boolean => chat?.chatId !== undefined

export const isOver = ({ status }: Pick<WorkflowRun, 'status'>): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'canceled'

/** What the end node of a run has said. */
export function resultText({ output, isAnswer }: Pick<WorkflowRun, 'output' | 'isAnswer'>): string {
  if (!isAnswer) return output
  const answer: unknown = JSON.parse(output)
  return typeof answer === 'object' && answer !== null && 'data' in answer && typeof answer.data === 'string' ? answer.data : output
}
