import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ChatEvent } from '../../chat/chat-event.ts'
import type { Run } from '../../chat/run-store.ts'
import { AppError } from '../../lib/app-error.ts'
import { pause } from '../../lib/background.ts'
import { toIdempotencyKey } from '../idempotency-key.ts'
import type { BotServices } from '../open/open-bots.ts'
import type { ChatServices } from '../open/open-chat.ts'
import { idField, toSeconds } from '../open/open-fields.ts'
import { completionBodySchema, toChatRequest } from './completion-body.ts'
import type { CompletionBody } from './completion-body.ts'
import { completionSchema, createChunkWriter, createCompletion, failureOf, isFailure } from './completion-wire.ts'
import { modelNotFound, replyWithOpenAiError } from './openai-error-reply.ts'

/** What clients of OpenAI's API need to talk to a bot: `model` is a bot's id, the caller keeps the conversation. */
export type OpenAiServices = Pick<ChatServices, 'startRun' | 'followRun' | 'streams'> & Pick<BotServices, 'getPublishedBot' | 'listBots'>

/** Pictures come inside of the body. */
const MAX_BODY_BYTES = 16 * 1024 * 1024
const MAX_MODELS = 1_000

const tags = ['OpenAI-compatible']
const modelSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.number(),
  owned_by: z.string(),
  name: z.string(),
  description: z.string(),
})

export const openAiRoutes =
  (services: OpenAiServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.setErrorHandler(replyWithOpenAiError)
    http.addHook('onRequest', (request, reply, done) => {
      reply.header('x-request-id', request.id)
      done()
    })
    await http.register(modelRoutes(services))

    http.post(
      '/v1/chat/completions',
      {
        bodyLimit: MAX_BODY_BYTES,
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: 'Chat with a bot as with a model of OpenAI',
          description:
            'For clients of OpenAI’s API. `model` is the id of a published bot. The conversation is yours: send all of it each time; nothing of it is listed here. `tools` are executed by you, the bot’s own tools here. `Idempotency-Key` makes a retry safe. Fields that are not named are ignored.',
          body: completionBodySchema,
          response: { 200: completionSchema },
        },
      },
      async (request, reply) => {
        const run = await startCompletion(services, request, request.body)
        if (request.body.stream)
          return sendChunks(services, reply, { run, includeUsage: request.body.stream_options?.include_usage === true })

        const completion = createCompletion(run)
        for await (const entries of services.followRun(fromStart(run))) for (const { event } of entries) completion.add(event)
        return completion.result()
      },
    )
  }

const modelRoutes =
  (services: OpenAiServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/models',
      {
        config: { auth: 'key', action: ['chat', 'read'] },
        schema: {
          tags,
          summary: 'List your published bots as models',
          response: { 200: z.object({ object: z.literal('list'), data: z.array(modelSchema) }) },
        },
      },
      async (request) => {
        const { bots } = await services.listBots(request.principal, { status: 'published_online', page: 1, size: MAX_MODELS })
        return {
          object: 'list' as const,
          data: bots.map((bot) => toModel({ ...bot, botId: bot.id, createdAt: bot.publishedAt ?? bot.updatedAt })),
        }
      },
    )

    http.get(
      '/v1/models/:model',
      {
        config: { auth: 'key', action: ['chat', 'read'] },
        schema: {
          tags,
          summary: 'Read a published bot as a model',
          params: z.object({ model: z.string() }),
          response: { 200: modelSchema },
        },
      },
      async (request) => toModel(await getModelBot(services, request, request.params.model)),
    )
  }

type ModelBot = { botId: string; ownerId: string; name: string; description: string; createdAt: number }

const toModel = ({ botId, ownerId, name, description, createdAt }: ModelBot): z.infer<typeof modelSchema> => ({
  ...{ id: botId, object: 'model', created: toSeconds(createdAt), owned_by: ownerId },
  ...{ name, description },
})

async function getModelBot(services: OpenAiServices, request: FastifyRequest, model: string) {
  const botId = idField.safeParse(model)
  if (!botId.success) throw modelNotFound(model)
  return services.getPublishedBot(request.principal, botId.data).catch((cause: unknown) => {
    throw isNotFound(cause) ? modelNotFound(model) : cause
  })
}

async function startCompletion(services: OpenAiServices, request: FastifyRequest, body: CompletionBody): Promise<Run> {
  const botId = idField.safeParse(body.model)
  if (!botId.success) throw modelNotFound(body.model)

  const idempotency = toIdempotencyKey(request, body)
  try {
    const { run } = await services.startRun(request.principal, { ...toChatRequest(body, botId.data), idempotency })
    return run
  } catch (cause) {
    // a file may be missing as well: the bot is asked for only now, because a repeated request needs none
    if (isNotFound(cause)) await getModelBot(services, request, botId.data)
    throw cause
  }
}

const isNotFound = (cause: unknown) => cause instanceof AppError && cause.code === 'not_found'

/** The reader stays to the end of the run, whose time is limited; a client that leaves costs no more than that. */
const fromStart = (run: Run) => ({ runId: run.id, cursor: 0, signal: new AbortController().signal })

/** Throws what the run fails with before it has said anything: then clients get the status they know. */
async function sendChunks(
  services: OpenAiServices,
  reply: FastifyReply,
  { run, includeUsage }: { run: Run; includeUsage: boolean },
): Promise<void> {
  const first = await firstWord(services, run)
  if (first && isFailure(first)) throw failureOf(first)

  const chunks = createChunkWriter(run, { includeUsage })
  await services.streams.send(reply, async function* (signal) {
    yield [chunks.opening]
    let isWhole = false
    for await (const entries of services.followRun({ runId: run.id, cursor: 0, signal })) {
      yield entries.flatMap(({ event }) => chunks.toFrames(event))
      isWhole = entries.at(-1)?.last === true
    }
    // its end without an end would look like an answer that is whole: the connection is cut instead
    if (!isWhole || signal.aborted) throw new Error(`the stream of run ${run.id} has no end`)
  })
}

/** Proxies do not wait for headers for ever. */
const FIRST_WORD_MS = 10_000

/** The first thing that a run says, or its end; undefined when it takes its time. */
async function firstWord(services: OpenAiServices, run: Run): Promise<ChatEvent | undefined> {
  const over = new AbortController()
  try {
    return (await Promise.race([findWord(services, run, over.signal), pause(FIRST_WORD_MS, over.signal)])) ?? undefined
  } finally {
    over.abort()
  }
}

async function findWord({ followRun }: OpenAiServices, run: Run, signal: AbortSignal): Promise<ChatEvent | undefined> {
  for await (const entries of followRun({ runId: run.id, cursor: 0, signal })) {
    const word = entries.find(({ event }) => event.type !== 'run_created' && event.type !== 'run_started')
    if (word) return word.event
  }
  return undefined
}
