import type { Principal } from '../accounts/principal.ts'
import type { PublishedBot } from '../bots/bot-config.ts'
import type { PublishedBots } from '../bots/published-bots.ts'
import { claimConversation, conversationInsert } from '../conversations/conversation-store.ts'
import type { Conversation } from '../conversations/conversation-store.ts'
import { draftConversation, draftMessage, findOwnConversation, isOwnChoice } from '../conversations/conversations.ts'
import type { InputMessage } from '../conversations/conversations.ts'
import { messageInsert } from '../conversations/message-store.ts'
import type { Message } from '../conversations/message-store.ts'
import { isDuplicate } from '../db/database.ts'
import type { GroupCommit } from '../db/group-commit.ts'
import { AppError } from '../lib/app-error.ts'
import { executeRun } from './execute-run.ts'
import type { ExecuteRunDeps, FinishedRun } from './execute-run.ts'
import type { LiveRuns } from './live-runs.ts'
import { toModelMessages } from './prompt.ts'
import type { ReadFile } from './prompt.ts'
import { runInsert } from './run-store.ts'
import type { Run } from './run-store.ts'

export type StartRunDeps = ExecuteRunDeps & {
  publishedBots: PublishedBots
  commits: GroupCommit
  liveRuns: LiveRuns
  workerToken: string
  readFile: (who: Principal) => ReadFile
}

export type ChatRequest = {
  botId: string
  /** Absent: a new conversation is made. */
  conversationId?: string
  /** The caller's own user id. */
  endUser?: string
  /** This turn; the last one is the question. Empty only to go on with an existing conversation. */
  messages: InputMessage[]
  /** Values for the prompt's placeholders. */
  variables: Record<string, string>
  metaData: Record<string, string>
  /** Somebody reads along: the model is asked for a stream. */
  stream: boolean
}

export type StartedRun = { run: Run; finished: Promise<FinishedRun> }

/** Stores the turn and starts the run. The answer is not returned: follow the run, or wait for `finished`. */
export async function startRun(deps: StartRunDeps, who: Principal, request: ChatRequest): Promise<StartedRun> {
  const bot = await deps.publishedBots.get(who, request.botId)
  deps.liveRuns.assertRoom()
  const { conversation, isNew } = await openConversation(deps, who, request)
  const hasHistory = !isNew
  if (!hasHistory && request.messages.length === 0)
    throw new AppError('invalid_request', 'additional_messages is required: send at least one message')

  const runId = deps.nextId()
  const origin = { conversationId: conversation.id, sectionId: conversation.sectionId, runId, botId: bot.botId }
  const messages = request.messages.map((input) => draftMessage(deps, origin, input))
  const readFile = deps.readFile(who)
  const input = await toModelMessages(messages, readFile, { lenient: false })
  const run = draftRun(deps, who, { runId, bot, conversation, request })
  await storeTurn(deps, { run, messages, conversation, hasHistory })

  const plan = {
    run,
    bot,
    input,
    hasHistory,
    firstMessageId: messages[0]?.id ?? run.answerId,
    variables: request.variables,
    stream: request.stream,
    readFile,
  }
  return { run, finished: deps.liveRuns.start(run.id, (signal) => executeRun(deps, plan, signal)) }
}

type OpenedConversation = { conversation: Conversation; isNew: boolean }

async function openConversation(
  deps: StartRunDeps,
  who: Principal,
  { conversationId, endUser, botId }: ChatRequest,
): Promise<OpenedConversation> {
  if (conversationId === undefined) return { conversation: draftConversation(deps, who, { botId, endUser }), isNew: true }

  const conversation = await findOwnConversation(deps, who, conversationId)
  if (!conversation) {
    // an id of the caller's own choice names a conversation from its first use on
    if (isOwnChoice(conversationId))
      return { conversation: draftConversation(deps, who, { botId, endUser, externalId: conversationId }), isNew: true }
    throw new AppError('not_found', 'conversation not found')
  }
  if (conversation.botId !== undefined && conversation.botId !== botId)
    throw new AppError('not_found', `conversation not found: it belongs to another bot (${conversation.botId})`)
  // end users of one key are kept apart: one cannot go on with another's conversation
  if (endUser !== undefined && conversation.endUser !== '' && conversation.endUser !== endUser)
    throw new AppError('not_found', 'conversation not found: it belongs to another user_id')
  return { conversation, isNew: false }
}

type Turn = { runId: string; bot: PublishedBot; conversation: Conversation; request: ChatRequest }

function draftRun({ nextId, clock, workerToken }: StartRunDeps, who: Principal, { runId, bot, conversation, request }: Turn): Run {
  return {
    id: runId,
    ownerId: who.userId,
    keyId: who.keyId,
    botId: bot.botId,
    botVersionId: bot.id,
    conversationId: conversation.id,
    sectionId: conversation.sectionId,
    endUser: request.endUser ?? conversation.endUser,
    status: 'in_progress',
    metaData: request.metaData,
    answerId: nextId(),
    usage: { inputTokens: 0, outputTokens: 0 },
    error: undefined,
    workerToken,
    createdAt: clock(),
    finishedAt: 0,
  }
}

type StoredTurn = { run: Run; messages: Message[]; conversation: Conversation; hasHistory: boolean }

async function storeTurn({ commits }: StartRunDeps, { run, messages, conversation, hasHistory }: StoredTurn): Promise<void> {
  const insert = { message: messages.map(messageInsert), run: [runInsert(run)] }
  if (!hasHistory) {
    const unit = { insert: { conversation: [conversationInsert(conversation, run.id)], ...insert } }
    return commits.write(unit).catch((cause: unknown) => {
      // two first uses of one id of the caller's choice: the other one was quicker
      throw isDuplicate(cause) ? busy() : cause
    })
  }

  await commits.write({
    async guard(tx) {
      const claimed = await claimConversation(tx, conversation.id, { runId: run.id, now: run.createdAt })
      if (!claimed) throw busy()
    },
    insert,
  })
}

const busy = () => new AppError('conversation_busy', 'a chat is already running in this conversation: wait for its end or cancel it')
