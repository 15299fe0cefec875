import { asOwner, mayUseApps } from '../../accounts/principal.ts'
import type { Principal } from '../../accounts/principal.ts'
import { getOwnApp } from '../../bots/apps.ts'
import { claimConversation, conversationInsert } from '../../conversations/conversation-store.ts'
import type { Conversation } from '../../conversations/conversation-store.ts'
import { assertFreeChoice, draftConversation, draftMessage, findOwnConversation, isOwnChoice } from '../../conversations/conversations.ts'
import type { InputMessage } from '../../conversations/conversations.ts'
import { messageInsert } from '../../conversations/message-store.ts'
import type { Message } from '../../conversations/message-store.ts'
import { isDuplicate } from '../../db/database.ts'
import { findIdempotentResult } from '../../db/idempotency-store.ts'
import type { IdempotencyKey } from '../../db/idempotency-store.ts'
import { AppError } from '../../lib/app-error.ts'
import { findOwnAppConversationById, getOrCreateAppConversation } from '../conversations/app-conversations.ts'
import { fieldOf } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import { attachToRun } from './attach-run.ts'
import { CONVERSATION_NAME, toChatflowArguments, toUserInput } from './chatflow-input.ts'
import type { FileUrl } from './chatflow-input.ts'
import { startWorkflowRun } from './start-workflow-run.ts'
import type { StartWorkflowDeps, StartedWorkflowRun } from './start-workflow-run.ts'
import { resumeWorkflowRun } from './workflow-runs.ts'
import { listWaitingRuns } from './workflow-run-store.ts'
import { isPartOfChat } from './workflow-run.ts'
import type { WorkflowRun } from './workflow-run.ts'

export type ChatflowDeps = StartWorkflowDeps & {
  fileUrl: FileUrl
}

export type ChatflowRequest = {
  workflowId: string
  version: string
  /** The last one is the question; earlier ones become history of the conversation. */
  messages: InputMessage[]
  parameters: ValueObject
  conversationId?: string
  appId?: string
  botId?: string
  endUser: string
  connectorId: string
  logId: string
  savesHistory: boolean
  /** The dialect its caller writes in. */
  style: string
  idempotency?: IdempotencyKey
}

export type StartedChatflow = StartedWorkflowRun & { cursor: number }

/** A turn of a chat with a workflow: starts a run of it, or answers what the conversation's last run waits for. */
export async function startChatflowRun(deps: ChatflowDeps, who: Principal, request: ChatflowRequest): Promise<StartedChatflow> {
  const question = request.messages.at(-1)
  if (question?.role !== 'user') throw new AppError('invalid_request', 'additional_messages: the last message must be of the role user')

  // whatever the conversation has come to since then
  const known = request.idempotency && (await findIdempotentResult(deps.db, request.idempotency))
  if (known !== undefined) return attachToRun(deps, known)

  const text = await toUserInput(deps, who, question)
  const opened = await openConversation(deps, who, request)
  const waiting = opened.isNew ? undefined : await findWaitingRun(deps, opened.conversation.id, request.workflowId)
  const [event] = waiting?.waiting ?? []
  if (waiting && event) {
    const stored = request.savesHistory
      ? draftQuestion(deps, { conversation: opened.conversation, runId: waiting.id, question, request })
      : undefined
    const { workflowId, idempotency } = request
    return resumeWorkflowRun(deps, who, { workflowId, eventId: `${waiting.id}/${event.id}`, data: text, question: stored, idempotency })
  }
  return { ...(await startTurn(deps, who, { request, text, ...opened })), cursor: 0 }
}

/** What a bot's chat has asked is answered in such a chat. */
async function findWaitingRun({ db }: ChatflowDeps, conversationId: string, workflowId: string): Promise<WorkflowRun | undefined> {
  const waiting = await listWaitingRuns(db, conversationId)
  return waiting.find((run) => run.workflowId === workflowId && !isPartOfChat(run))
}

type Opened = { conversation: Conversation; isNew: boolean; name?: string }

/** The conversation that is named by its id, or in an app by its name; a new one where none is named. */
async function openConversation(deps: ChatflowDeps, who: Principal, request: ChatflowRequest): Promise<Opened> {
  const { conversationId, appId, endUser, botId, connectorId } = request
  const inApp = await readerOfApp(deps, who, request)
  if (appId !== undefined) await getOwnApp(deps, inApp, appId)
  if (conversationId === undefined) return openByName(deps, inApp, request)

  const conversation = await findOwnConversation(deps, who, conversationId)
  if (!conversation) {
    if (!isOwnChoice(conversationId)) throw new AppError('not_found', 'conversation not found')
    // an id of the caller's own choice names a conversation from its first use on
    await assertFreeChoice(deps, who, conversationId)
    return { conversation: draftConversation(deps, who, { botId, endUser, connectorId, externalId: conversationId }), isNew: true }
  }
  // end users of one key are kept apart: one cannot go on with another's conversation
  if (endUser !== '' && conversation.endUser !== '' && conversation.endUser !== endUser)
    throw new AppError('not_found', 'conversation not found: it belongs to another user_id')
  if (appId === undefined) return { conversation, isNew: false }

  const named = await findOwnAppConversationById(deps, inApp, { appId, endUser, conversationId: conversation.id })
  if (!named && !isOwnChoice(conversationId)) throw new AppError('not_found', 'conversation not found: it is none of the app')
  return { conversation, isNew: false, name: named?.name }
}

/** Who may chat with a workflow may do so in its app. */
async function readerOfApp(deps: ChatflowDeps, who: Principal, { appId, workflowId, version }: ChatflowRequest): Promise<Principal> {
  if (appId === undefined || mayUseApps(who)) return who
  const workflow = await deps.catalog.get(who, workflowId, version)
  return workflow.appId === appId ? asOwner(who) : who
}

async function openByName(deps: ChatflowDeps, who: Principal, request: ChatflowRequest): Promise<Opened> {
  const { appId, endUser, botId, connectorId, parameters } = request
  const name = fieldOf(parameters, CONVERSATION_NAME)
  if (appId === undefined || typeof name !== 'string' || name === '')
    return { conversation: draftConversation(deps, who, { botId, endUser, connectorId }), isNew: true }

  const { conversationId } = await getOrCreateAppConversation(deps, who, { appId, endUser, name })
  const conversation = await findOwnConversation(deps, who, conversationId)
  if (!conversation) throw new AppError('not_found', 'conversation not found')
  return { conversation, isNew: false, name }
}

type Turn = Opened & { request: ChatflowRequest; text: string }

async function startTurn(
  deps: ChatflowDeps,
  who: Principal,
  { request, text, conversation, isNew, name }: Turn,
): Promise<StartedWorkflowRun> {
  const { messages, savesHistory, style, parameters, ...rest } = request
  const origin = { conversationId: conversation.id, sectionId: conversation.sectionId, botId: request.botId }
  // @NOTE before the run gets its id: by their ids messages are put in order
  const earlier = messages.slice(0, -1).map((input) => draftMessage(deps, { ...origin, runId: undefined }, input))
  const runId = deps.nextId()
  const question = messages.slice(-1).map((input) => draftMessage(deps, { ...origin, runId }, input))
  const now = deps.clock()
  const starting = startWorkflowRun(deps, who, {
    ...rest,
    runId,
    mode: 'stream',
    isStrict: true,
    parameters: toChatflowArguments(parameters, { text, conversationName: name }),
    chat: {
      ...{ conversationId: conversation.id, sectionId: conversation.sectionId, savesHistory, style },
      firstMessageId: question[0]?.id ?? runId,
    },
    insert: {
      conversation: isNew ? [conversationInsert(conversation, runId)] : [],
      message: savesHistory ? [...earlier, ...question].map(messageInsert) : [],
    },
    async guard(tx) {
      if (isNew || (await claimConversation(tx, conversation.id, { runId, now }))) return
      throw conversationBusy()
    },
  })
  return starting.catch((cause: unknown) => {
    // two first uses of one id of the caller's choice: the other one was quicker
    throw isDuplicate(cause) && conversation.externalId !== undefined ? conversationBusy() : cause
  })
}

const conversationBusy = () => new AppError('conversation_busy', 'a chat is running in this conversation: wait for its end, or cancel it')

type Asked = { conversation: Conversation; runId: string; question: InputMessage; request: ChatflowRequest }

function draftQuestion(deps: ChatflowDeps, { conversation, runId, question, request }: Asked): Message {
  const origin = { conversationId: conversation.id, sectionId: conversation.sectionId, botId: request.botId, runId }
  return draftMessage(deps, origin, question)
}
