import { listWaitingRuns } from '../workflows/runs/workflow-run-store.ts'
import { isPartOfChat } from '../workflows/runs/workflow-run.ts'
import type { WorkflowRun } from '../workflows/runs/workflow-run.ts'
import { findRun } from './run-store.ts'
import type { Run } from './run-store.ts'
import { giveUpWaiting } from './workflow-part.ts'
import type { ChatWorkflows } from './workflow-part.ts'

export type QuestionPlace = Pick<Run, 'botId' | 'conversationId' | 'sectionId'> & { chatflowId: string }

/** The run of a bot's chatflow that has put a question which the next chat of the conversation answers. */
export async function findQuestion(
  { db }: Pick<ChatWorkflows, 'db'>,
  { botId, conversationId, sectionId, chatflowId }: QuestionPlace,
): Promise<WorkflowRun | undefined> {
  for (const waiting of await listWaitingRuns(db, conversationId)) {
    const { chatId, sectionId: askedIn } = waiting.chat ?? {}
    const isOurs = waiting.botId === botId && waiting.workflowId === chatflowId && askedIn === sectionId
    if (chatId === undefined || !isOurs) continue
    // @NOTE a chat that did not end well has not put its question: nobody knows of it
    if ((await findRun(db, chatId))?.status === 'completed') return waiting
  }
  return undefined
}

/** As above, for the chat that answers it. What else of the bot waits here is ended: nobody will answer it. */
export async function takeUpQuestion(deps: ChatWorkflows, run: Run, chatflowId: string): Promise<WorkflowRun | undefined> {
  const asking = await findQuestion(deps, { ...run, chatflowId })
  const waiting = (await listWaitingRuns(deps.db, run.conversationId)).filter((each) => isPartOfChat(each) && each.botId === run.botId)
  for (const other of waiting.filter(({ id }) => id !== asking?.id)) await giveUpWaiting(deps, run, other)
  return asking
}
