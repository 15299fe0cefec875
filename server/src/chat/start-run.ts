import { endUserFor } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import type { PublishedBot } from '../bots/bot-config.ts'
import type { PublishedBots } from '../bots/published-bots.ts'
import { claimConversation, conversationInsert, findActiveRun } from '../conversations/conversation-store.ts'
import type { Conversation } from '../conversations/conversation-store.ts'
import { draftMessage } from '../conversations/conversations.ts'
import type { InputMessage } from '../conversations/conversations.ts'
import { messageInsert } from '../conversations/message-store.ts'
import type { Message } from '../conversations/message-store.ts'
import { isDuplicate } from '../db/database.ts'
import type { GroupCommit, WriteUnit } from '../db/group-commit.ts'
import { findIdempotentResult, idempotencyInsert } from '../db/idempotency-store.ts'
import type { IdempotencyKey } from '../db/idempotency-store.ts'
import type { RunStops } from '../journal/run-stops.ts'
import { AppError } from '../lib/app-error.ts'
import { pause } from '../lib/background.ts'
import type { ModelParameters, ModelTool } from '../models/model-adapter.ts'
import type { ValueObject } from '../workflows/values/value.ts'
import { assertQueueRoom, conversationBusy, waitForTurn } from './busy-conversation.ts'
import { draftChatflowQuestion } from './chatflow-question.ts'
import { executeRun } from './execute-run.ts'
import type { ExecuteRunDeps, FinishedRun, RunPlan } from './execute-run.ts'
import type { LiveRuns } from '../lib/live-runs.ts'
import { openConversation } from './open-conversation.ts'
import { renderPrompt, toModelMessages } from './prompt.ts'
import type { ReadFile } from './prompt.ts'
import { runInsert } from './run-store.ts'
import type { Run } from './run-store.ts'
import { readTranscript } from './transcript.ts'
import type { TranscriptMessage } from './transcript.ts'
import { findQuestion } from './waiting-question.ts'

export type StartRunDeps = ExecuteRunDeps & {
  publishedBots: Pick<PublishedBots, 'get'>
  commits: GroupCommit
  liveRuns: LiveRuns
  stops: RunStops
  workerToken: string
  readFile: (who: Principal) => ReadFile
  /** Values kept for an end user of a bot. */
  findVariables: (who: Principal, scope: { botId: string; endUser: string }) => Promise<Record<string, string>>
}

export type ChatRequest = {
  botId: string
  /** Absent: a new conversation is made. */
  conversationId?: string
  /** The caller's own user id. */
  endUser?: string
  /** Of a new conversation, in place of the API's. */
  connectorId?: string
  /** This turn; the last one is the question. Empty only to go on with an existing conversation. */
  messages: InputMessage[]
  /** One of the bot's ready-made questions, asked after the messages. */
  shortcut?: { id: string; parameters: Record<string, string> }
  /** Values for the prompt's placeholders. */
  variables: Record<string, string>
  /** Functions that the caller executes itself when the bot calls them, beside the bot's own; `none`: not even those. */
  functions: ModelTool[] | 'none'
  /** In place of the bot's own. */
  parameters?: ModelParameters
  /** For the chatflow of a bot that is one: what its start gets beside the question. */
  chatflowParameters?: ValueObject
  /** Choices and forms that the chatflow puts come as cards. */
  asCards?: boolean
  /**
   * Set by a caller who keeps the conversation itself and sends all of it: here is none, then, that anybody could list or go on
   * with, and a call of the caller's functions ends the chat.
   */
  transcript?: TranscriptMessage[]
  metaData: Record<string, string>
  messageMeta: Record<string, string>
  /** Somebody reads along: the model is asked for a stream. */
  stream: boolean
  /** What to do when a chat is running in the conversation. */
  ifBusy: 'reject' | 'enqueue' | 'interrupt'
  /** False: nothing of this chat is kept in the conversation. */
  savesHistory: boolean
  callbackUrl?: string
  clientStyle: string
  /** The same request sent again is the same run. */
  idempotency?: IdempotencyKey
}

/** `finished` resolves when the run ends or pauses. */
export type StartedRun = { run: Run; finished: Promise<FinishedRun> }

/** Stores the turn and starts the run. The answer is not returned: follow the run, or wait for `finished`. */
export async function startRun(deps: StartRunDeps, who: Principal, asked: ChatRequest): Promise<StartedRun> {
  const request = who.access?.token ? boundToToken(who, asked) : asked
  const bot = await deps.publishedBots.get(who, request.botId)
  deps.liveRuns.assertRoom()
  // @NOTE from here to its start nothing may fail: a run that is stored and not executed holds its conversation
  const { run, input, question, messages, variables, isNew } = await takePlace(deps, who, { bot, request })

  const plan = {
    ...{ run, bot, input, question, variables },
    hasHistory: !isNew,
    firstMessageId: messages[0]?.id ?? run.answerId,
    parameters: request.parameters ?? {},
    functions: request.functions === 'none' ? [] : mergeFunctions(clientFunctions(bot), request.functions),
    isStateless: request.transcript !== undefined,
    stream: request.stream,
    readFile: deps.readFile(who),
    untilTurn: run.status === 'created' ? (signal: AbortSignal) => waitForTurn(deps, run, signal) : undefined,
  }
  return { run, finished: deps.liveRuns.start(run.id, (signal) => executeRun(deps, plan, signal)) }
}

/** What a page may ask for with a token. */
function boundToToken(who: Principal, request: ChatRequest): ChatRequest {
  if (request.callbackUrl !== undefined) throw new AppError('forbidden', 'callback_url: is for api keys, not for tokens')
  return { ...request, endUser: endUserFor(who, request.endUser) }
}

export function clientFunctions(bot: Pick<PublishedBot, 'config'>): ModelTool[] {
  return bot.config.tools.flatMap((tool) =>
    tool.type === 'function' ? [{ name: tool.name, description: tool.description, parameters: tool.parameters }] : [],
  )
}

/** Of two with one name the caller's counts. */
function mergeFunctions(bots: ModelTool[], callers: ModelTool[]): ModelTool[] {
  return [...bots.filter((tool) => !callers.some((each) => each.name === tool.name)), ...callers]
}

type Asked = { bot: PublishedBot; request: ChatRequest }
type Placed = Turn & Opened & { variables: Record<string, string> }

const MAX_ATTEMPTS = 100
const ATTEMPT_EVERY_MS = 5

/** Stores the turn. Of several at once that queue or interrupt none is refused because another one was quicker: it tries again. */
async function takePlace(deps: StartRunDeps, who: Principal, { bot, request }: Asked): Promise<Placed> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryPlace(deps, who, { bot, request })
    } catch (cause) {
      const isBusy = cause instanceof AppError && cause.code === 'conversation_busy'
      if (!isBusy || request.ifBusy === 'reject' || attempt === MAX_ATTEMPTS || (await isRepeated(deps, request))) throw cause
      await pause(ATTEMPT_EVERY_MS)
    }
  }
}

async function tryPlace(deps: StartRunDeps, who: Principal, { bot, request }: Asked): Promise<Placed> {
  const opened = await openConversation(deps, who, request)
  let turn = await draftTurn(deps, who, { bot, request, ...opened })
  if (!opened.isNew && request.ifBusy === 'interrupt' && (await interrupt(deps, request, opened.conversation.id))) {
    // its messages come after those of the interrupted chat
    turn = await draftTurn(deps, who, { bot, request, ...opened })
  }
  if (turn.run.status === 'created') await assertQueueRoom(deps.db, opened.conversation.id)
  const scope = { botId: bot.botId, endUser: turn.run.endUser }
  const kept = bot.config.variables.length > 0 && scope.endUser !== '' ? await deps.findVariables(who, scope) : {}
  const admitted = deps.admission.admit(who, turn.run.id)
  if (admitted) await admitted
  await storeTurn(deps, { ...turn, ...opened, request }).catch(async (cause: unknown) => {
    await deps.admission.leave(turn.run.id)
    throw cause
  })
  return { ...turn, ...opened, variables: { ...kept, ...request.variables } }
}

/** Ends what is running there, unless that is this same request sent before. False when nothing is. */
async function interrupt(deps: StartRunDeps, request: ChatRequest, conversationId: string): Promise<boolean> {
  const active = await findActiveRun(deps.db, conversationId)
  if (active === undefined) return false
  // @NOTE in this order: a run and the record of its request are stored together
  if (await isRepeated(deps, request)) throw conversationBusy()
  await deps.stops.stop(active, async () => (await findActiveRun(deps.db, conversationId)) !== active)
  return true
}

const isRepeated = async ({ db }: StartRunDeps, { idempotency }: ChatRequest): Promise<boolean> =>
  idempotency !== undefined && (await findIdempotentResult(db, idempotency)) !== undefined

type Opened = { conversation: Conversation; isNew: boolean }
type Turn = { run: Run; messages: Message[] } & Pick<RunPlan, 'input' | 'question'>

async function draftTurn(
  deps: StartRunDeps,
  who: Principal,
  { bot, request, conversation, isNew }: Opened & { bot: PublishedBot; request: ChatRequest },
): Promise<Turn> {
  const inputs = [...request.messages, ...shortcutMessage(bot, request)]
  if (isNew && inputs.length === 0 && !request.transcript)
    throw new AppError('invalid_request', 'additional_messages is required: send at least one message')

  const runId = deps.nextId()
  const origin = { conversationId: conversation.id, sectionId: conversation.sectionId, runId, botId: bot.botId }
  const messages = inputs.map((input) => draftMessage(deps, origin, { ...input, metaData: { ...request.messageMeta, ...input.metaData } }))
  // now, beside the questions: an answer stands before the questions of a chat that is asked later
  const answerId = deps.nextId()
  const status = !isNew && request.ifBusy === 'enqueue' ? 'created' : 'in_progress'
  const run = draftRun(deps, who, { runId, answerId, status, bot, conversation, request })
  const asked = { bot, request, run, isNew, inputs, messages }
  return { run, messages, ...(await (bot.config.mode === 'chatflow' ? askChatflow : askModel)(deps, who, asked)) }
}

type Drafted = Asked & { run: Run; isNew: boolean; inputs: InputMessage[]; messages: Message[] }
type Question = Pick<RunPlan, 'input' | 'question'>

async function askModel(deps: StartRunDeps, who: Principal, { request, messages }: Drafted): Promise<Question> {
  const readFile = deps.readFile(who)
  const transcript = await readTranscript(request.transcript ?? [], readFile)
  return { input: [...transcript, ...(await toModelMessages(messages, readFile, { lenient: false }))] }
}

async function askChatflow({ workflows }: StartRunDeps, who: Principal, { bot, request, run, isNew, inputs }: Drafted): Promise<Question> {
  const { chatflowId } = bot.config
  const { chatflowParameters: parameters = {}, asCards = false, transcript = [] } = request
  // one that waits for its turn may come after a question
  const mayBeAnswer = run.status === 'created' || (!isNew && (await findQuestion(workflows, { ...run, chatflowId })) !== undefined)
  const asking = { chatflowId, parameters, asCards, transcript, messages: inputs, mayBeAnswer }
  return { input: [], question: await draftChatflowQuestion(workflows, who, asking) }
}

function shortcutMessage(bot: PublishedBot, { shortcut }: ChatRequest): InputMessage[] {
  if (!shortcut) return []
  const known = bot.config.shortcuts.find((each) => each.id === shortcut.id)
  if (!known) throw new AppError('invalid_request', `shortcut_command: the bot has no command ${shortcut.id}`)
  return [{ role: 'user', content: renderPrompt({ prompt: known.prompt, variables: [] }, shortcut.parameters), contentType: 'text' }]
}

type RunDraft = Asked & { runId: string; answerId: string; status: 'created' | 'in_progress'; conversation: Conversation }

function draftRun(
  { clock, workerToken }: StartRunDeps,
  who: Principal,
  { runId, answerId, status, bot, conversation, request }: RunDraft,
): Run {
  return {
    id: runId,
    ownerId: who.userId,
    keyId: who.keyId,
    botId: bot.botId,
    botVersionId: bot.id,
    conversationId: conversation.id,
    sectionId: conversation.sectionId,
    endUser: request.endUser ?? conversation.endUser,
    status,
    metaData: request.metaData,
    answerId,
    usage: { inputTokens: 0, outputTokens: 0 },
    error: undefined,
    clientStyle: request.clientStyle,
    messageMeta: request.messageMeta,
    savesHistory: request.savesHistory,
    callbackUrl: request.callbackUrl ?? (bot.config.webhookUrl || undefined),
    requiredCalls: [],
    workerToken,
    createdAt: clock(),
    finishedAt: 0,
    firstTokenMs: undefined,
  }
}

type StoredTurn = Turn & Opened & { request: ChatRequest }

/** All of the turn or nothing; a run that has to wait for its turn becomes `created`. */
async function storeTurn(deps: StartRunDeps, { run, messages, conversation, isNew, request }: StoredTurn): Promise<void> {
  const record = request.idempotency
  const insert: WriteUnit['insert'] = {
    conversation: isNew && !request.transcript ? [conversationInsert(conversation, run.id)] : [],
    message: run.savesHistory ? messages.map(messageInsert) : [],
    run: [runInsert(run)],
    idempotency: record ? [idempotencyInsert(record, { id: run.id, now: run.createdAt })] : [],
  }
  try {
    await deps.commits.write(isNew || run.status === 'created' ? { insert } : { guard: claiming(run), insert })
  } catch (cause) {
    // two first uses of one id of the caller's choice: the other one was quicker
    throw isDuplicate(cause) && conversation.externalId !== undefined ? conversationBusy() : cause
  }
}

const claiming =
  (run: Run): WriteUnit['guard'] =>
  async (tx) => {
    const claimed = await claimConversation(tx, run.conversationId, { runId: run.id, now: run.createdAt })
    if (!claimed) throw conversationBusy()
  }
