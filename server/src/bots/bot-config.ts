import { z } from 'zod'
import { botToolSchema } from './bot-tools.ts'

const idSchema = z.string().regex(/^\d{1,19}$/)

/** What a builder decides about a bot: the draft, and unchanged in each published version. */
export const botConfigSchema = z.object({
  prompt: z.string().max(200_000).default(''),
  /** Name of a model. */
  model: z.string().min(1).max(100).default('default'),
  parameters: z
    .object({
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().min(0).max(1).optional(),
      maxTokens: z.number().int().min(1).max(1_000_000).optional(),
      presencePenalty: z.number().min(-2).max(2).optional(),
      frequencyPenalty: z.number().min(-2).max(2).optional(),
      responseFormat: z.enum(['text', 'json']).optional(),
      /** Questions of the conversation, with their answers, that the model sees again. */
      historyRounds: z.number().int().min(0).max(100).default(20),
    })
    .default({ historyRounds: 20 }),
  onboarding: z
    .object({ prologue: z.string().max(10_000).default(''), suggestedQuestions: z.array(z.string().max(1_000)).max(20).default([]) })
    .default({ prologue: '', suggestedQuestions: [] }),
  suggestReplies: z.boolean().default(false),
  /** Placeholders `{{name}}` of the prompt and their values when the caller gives none. */
  variables: z
    .array(
      z.object({
        name: z.string().regex(/^[A-Za-z_]\w{0,99}$/),
        default: z.string().max(10_000).default(''),
        description: z.string().max(1_000).default(''),
      }),
    )
    .max(100)
    .default([]),
  tools: z.array(botToolSchema).max(50).default([]),
  /** Told of the end of every chat that does not name a receiver of its own. */
  webhookUrl: z.string().max(2_000).default(''),
  /** Ready-made questions: the caller names one and gives the values of its placeholders. */
  shortcuts: z
    .array(z.object({ id: idSchema, name: z.string().min(1).max(100), prompt: z.string().min(1).max(10_000) }))
    .max(50)
    .default([]),
  /** Ids of workflows that the model may call. */
  workflows: z.array(idSchema).max(50).default([]),
  /** Who answers: the model with its prompt and tools, or a chatflow. */
  mode: z.enum(['agent', 'chatflow']).default('agent'),
  /** The chatflow that answers in that mode; else empty. */
  chatflowId: z.union([z.literal(''), idSchema]).default(''),
})

export type BotConfig = z.infer<typeof botConfigSchema>

/** The face of a bot, versioned with its configuration. */
export type BotProfile = { name: string; description: string; iconUrl: string }

export type Bot = BotProfile & {
  id: string
  ownerId: string
  draft: BotConfig
  liveVersionId: string | undefined
  createdAt: number
  updatedAt: number
}

/** One published version; it never changes. */
export type BotVersion = BotProfile & {
  id: string
  botId: string
  version: string
  note: string
  config: BotConfig
  createdAt: number
}

/** Where a run names the version that answers it: the draft, as it was then. Such a run is a test of its builder's. */
export const DRAFT_VERSION_ID = '0'

/** The version that answers API calls now. */
export type PublishedBot = BotVersion & { ownerId: string; botCreatedAt: number }
