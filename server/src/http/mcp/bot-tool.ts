import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { PublishedBot } from '../../bots/bot-config.ts'
import type { FinishedRun } from '../../chat/execute-run.ts'
import type { StartedRun } from '../../chat/start-run.ts'
import { AppError } from '../../lib/app-error.ts'
import { firstIssue } from '../validation.ts'
import { idField, optionalConversationIdField } from '../open/open-fields.ts'
import type { McpServices } from './mcp-routes.ts'

/** A bot as a tool: it takes a message and answers in a conversation that can be gone on with. */
const MAX_TOOLS = 500
const MAX_MESSAGE = 1_000_000
const PROGRESS_EVERY_MS = 250

const INPUT_SCHEMA = {
  type: 'object' as const,
  properties: {
    message: { type: 'string', description: 'What you say to the agent' },
    conversation_id: { type: 'string', description: 'Of an earlier answer, to go on with its conversation; left out, a new one begins' },
  },
  required: ['message'],
}

const OUTPUT_SCHEMA = {
  type: 'object' as const,
  properties: {
    conversation_id: { type: 'string', description: 'Send it along to go on with this conversation' },
    chat_id: { type: 'string' },
    answer: { type: 'string' },
  },
  required: ['conversation_id', 'chat_id', 'answer'],
}

const inputSchema = z.object({
  message: z.string('must be a string').min(1, 'must not be empty').max(MAX_MESSAGE, `must have at most ${MAX_MESSAGE} characters`),
  conversation_id: optionalConversationIdField,
})

export async function listBotTools({ listBots }: McpServices, who: Principal) {
  const { bots } = await listBots(who, { status: 'published_online', page: 1, size: MAX_TOOLS })
  return bots.map((bot) => ({
    name: toolName(bot),
    title: bot.name,
    description: bot.description || `Talk to the agent ${bot.name}`,
    inputSchema: INPUT_SCHEMA,
    outputSchema: OUTPUT_SCHEMA,
  }))
}

/** With the bot's id at its end: it stays the same bot's when another of that name is published. */
export function toolName({ id, name }: { id: string; name: string }): string {
  const readable = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 40)
    .replace(/^_+|_+$/g, '')
  return `${readable || 'bot'}_${id}`
}

export type BotCall = {
  name: string
  input: unknown
  /** Aborts when nobody waits for the answer any more. */
  signal: AbortSignal
  /** Told of text as it comes: how much there is so far, and what is new. */
  onProgress?: (progress: number, message: string) => Promise<void>
}

/** Throws `not_found` for an unknown tool; whatever else goes wrong is a result that says so, for the model that called. */
export async function callBot(services: McpServices, who: Principal, { name, input, signal, onProgress }: BotCall) {
  const bot = await getBotOf(services, who, name)
  const parsed = inputSchema.safeParse(input)
  if (!parsed.success) return refused(describe(parsed.error))

  const { message, conversation_id: conversationId } = parsed.data
  try {
    const started = await services.startRun(who, {
      ...{ botId: bot.botId, conversationId, stream: onProgress !== undefined },
      messages: [{ role: 'user', content: message, contentType: 'text' }],
      // there is nobody who would execute them
      functions: 'none',
      ...{ variables: {}, metaData: {}, messageMeta: {}, ifBusy: 'reject', savesHistory: true, clientStyle: 'mcp' },
    })
    if (onProgress) await reportProgress(services, started, { signal, onProgress })
    return toResult(await started.finished)
  } catch (cause) {
    if (cause instanceof AppError) return refused(cause.message)
    throw cause
  }
}

async function getBotOf({ getPublishedBot }: McpServices, who: Principal, name: string): Promise<PublishedBot> {
  const botId = idField.safeParse(/_(\d+)$/.exec(name)?.[1])
  const bot = botId.success ? await getPublishedBot(who, botId.data).catch(ignoreNotFound) : undefined
  if (!bot) throw new AppError('not_found', `unknown tool: ${name.slice(0, 100)}`)
  return bot
}

function ignoreNotFound(cause: unknown): undefined {
  if (!(cause instanceof AppError) || cause.code !== 'not_found') throw cause
}

async function reportProgress(
  { followRun }: McpServices,
  { run }: StartedRun,
  { signal, onProgress }: { signal: AbortSignal; onProgress: NonNullable<BotCall['onProgress']> },
): Promise<void> {
  let [length, unsent, lastMs] = [0, '', 0]
  for await (const entries of followRun({ runId: run.id, cursor: 0, signal })) {
    for (const { event } of entries) if (event.type === 'answer_delta') unsent += event.text
    if (unsent === '' || performance.now() - lastMs < PROGRESS_EVERY_MS) continue
    length += unsent.length
    await onProgress(length, unsent)
    unsent = ''
    lastMs = performance.now()
  }
}

function toResult({ run, answer }: FinishedRun) {
  if (run.error) return refused(run.error.message)
  const text = answer?.content ?? ''
  return {
    content: [{ type: 'text' as const, text }],
    structuredContent: { conversation_id: run.conversationId, chat_id: run.id, answer: text },
  }
}

const refused = (message: string) => ({ content: [{ type: 'text' as const, text: message }], isError: true })

function describe(error: z.ZodError): string {
  const issue = firstIssue(error)
  return `${issue?.path.map(String).join('.') || 'arguments'} ${issue?.message ?? 'are not valid'}`
}
