import { z } from 'zod'

const MAX_SETTINGS_CHARS = 20_000

/** Kept as Coze Studio has it, for clients that draw a chat: nothing here reads it. */
const settingsSchema = z
  .record(z.string(), z.unknown())
  .refine((settings) => JSON.stringify(settings).length <= MAX_SETTINGS_CHARS, `must have at most ${MAX_SETTINGS_CHARS} characters`)
  .default({})

/** How a chatflow shows itself in a chat; no part of its canvas. */
export const chatflowRoleSchema = z.object({
  name: z.string().max(255).default(''),
  description: z.string().max(10_000).default(''),
  avatarUrl: z.string().max(2_000).default(''),
  onboarding: z
    .object({
      prologue: z.string().max(10_000).default(''),
      suggestedQuestions: z.array(z.string().max(1_000)).max(20).default([]),
      displayAllSuggestions: z.boolean().default(false),
    })
    .default({ prologue: '', suggestedQuestions: [], displayAllSuggestions: false }),
  /** What the user may say next: nothing, as the model sees fit, or as `prompt` asks for. */
  suggestReplies: z
    .object({ mode: z.enum(['off', 'system', 'custom']).default('off'), prompt: z.string().max(10_000).default('') })
    .default({ mode: 'off', prompt: '' }),
  background: settingsSchema,
  audio: settingsSchema,
  userInput: settingsSchema,
})

export type ChatflowRole = z.infer<typeof chatflowRoleSchema>

/** Of workflows, and of chatflows that say nothing. */
export const emptyRole: ChatflowRole = chatflowRoleSchema.parse({})
