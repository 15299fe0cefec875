import { linkAbort } from '../lib/linked-abort.ts'
import { toChatQuestion, toPlainQuestion } from '../workflows/runs/chat-question.ts'
import { toChatflowArguments } from '../workflows/runs/chatflow-input.ts'
import { followWorkflowRun } from '../workflows/runs/follow-workflow-run.ts'
import { startWorkflowRun } from '../workflows/runs/start-workflow-run.ts'
import type { WorkflowRun } from '../workflows/runs/workflow-run.ts'
import { resumeWorkflowRun } from '../workflows/runs/workflow-runs.ts'
import type { ResumedWorkflowRun } from '../workflows/runs/workflow-runs.ts'
import { createAnswerLine } from './answer-line.ts'
import type { AnswerWriter } from './answer-writer.ts'
import type { ChatflowQuestion } from './chatflow-question.ts'
import type { Outcome } from './run-ending.ts'
import { takeUpQuestion } from './waiting-question.ts'
import { giveUpWaiting, ownerOf, partOf, toTurn, untilEnded } from './workflow-part.ts'
import type { ChatPlace, ChatWorkflows } from './workflow-part.ts'

export type ChatflowJob = ChatPlace & {
  chatflowId: string
  question: ChatflowQuestion
  /** False for the first chat of a conversation: there is nothing before it. */
  hasHistory: boolean
  /** Nobody can go on with the conversation. */
  isStateless: boolean
}
type Speaking = { answer: AnswerWriter; signal: AbortSignal }

/**
 * A chatflow answers in the place of the bot's model: what its nodes say are the answers of the chat. When it asks, its question
 * is the last one, and the next chat of the conversation answers it.
 */
export async function runChatflow(workflows: ChatWorkflows, job: ChatflowJob, { answer, signal }: Speaking): Promise<Outcome> {
  // its tokens count with the chat
  const deps: ChatWorkflows = {
    ...workflows,
    onEnded: (run) => workflows.onEnded({ ...run, inputTokens: 0, outputTokens: 0 }),
    admission: { ...workflows.admission, tokenWrite: () => undefined },
  }
  const started = await startOrAnswer(deps, job)
  const { usage } = started.run
  const ended = await relay(deps, started, { answer, signal })

  answer.addUsage({
    inputTokens: ended.usage.inputTokens - usage.inputTokens,
    outputTokens: ended.usage.outputTokens - usage.outputTokens,
  })
  if (ended.status === 'waiting' && (signal.aborted || job.isStateless)) await giveUpWaiting(deps, job.run, ended)
  signal.throwIfAborted()
  return conclude(ended, job.question, answer)
}

async function startOrAnswer(deps: ChatWorkflows, job: ChatflowJob): Promise<ResumedWorkflowRun> {
  const { chatflowId: workflowId, run, question } = job
  const { text, earlier, parameters } = question
  const place = { ...job, earlier }

  const asking = job.hasHistory ? await takeUpQuestion(deps, run, workflowId) : undefined
  const [event] = asking?.waiting ?? []
  if (asking && event)
    return resumeWorkflowRun(deps, ownerOf(run), { workflowId, eventId: `${asking.id}/${event.id}`, data: text, chat: toTurn(place) })

  const request = { ...partOf(place), workflowId, mode: 'stream', parameters: toChatflowArguments(parameters, { text }) } as const
  return { ...(await startWorkflowRun(deps, ownerOf(run), request)), cursor: 0 }
}

/** Resolves when the workflow's run has ended or waits, and what it said is said. */
async function relay(deps: ChatWorkflows, started: ResumedWorkflowRun, { answer, signal }: Speaking): Promise<WorkflowRun> {
  const { control, release } = linkAbort(signal)
  const speaking = { answer, signal: control.signal }
  try {
    const [ended] = await Promise.all([untilEnded(deps, started, control.signal), passOn(deps, started, speaking)])
    return ended
  } finally {
    // where one of the two has failed, the other one stops
    control.abort()
    release()
  }
}

async function passOn(deps: ChatWorkflows, { run, cursor }: ResumedWorkflowRun, { answer, signal }: Speaking): Promise<void> {
  const line = createAnswerLine(answer)
  for await (const page of followWorkflowRun(deps, { runId: run.id, cursor, signal })) {
    // nothing is said after a cancel
    if (signal.aborted) return
    for (const { event } of page) if (event.type === 'message') line.take({ ...event, messageId: event.messageId ?? event.nodeId })
  }
}

function conclude({ status, waiting, error }: WorkflowRun, { asCards }: ChatflowQuestion, answer: AnswerWriter): Outcome {
  const [event] = waiting
  switch (status) {
    case 'succeeded':
      return { status: 'completed' }
    case 'waiting':
      if (event) ask(answer, asCards ? toChatQuestion(event) : { text: toPlainQuestion(event), contentType: 'text' })
      return { status: 'completed' }
    case 'failed':
      return { status: 'failed', error: { code: 'workflow_failed', message: error?.message ?? 'the workflow failed' } }
    default:
      return { status: 'failed', error: { code: 'workflow_canceled', message: 'the workflow that answers this chat was canceled' } }
  }
}

function ask(answer: AnswerWriter, { text, contentType }: { text: string; contentType: 'text' | 'card' }): void {
  if (contentType === 'card') return answer.add('answer', text, contentType)
  answer.write({ type: 'text', text })
  answer.finishAnswer()
}
