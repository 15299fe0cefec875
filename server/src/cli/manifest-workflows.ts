import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { AppError } from '../lib/app-error.ts'
import { chatflowRoleSchema } from '../workflows/chatflow-role.ts'
import { toCanvasText } from '../workflows/canvas/canvas-text.ts'
import type { ValueObject } from '../workflows/values/value.ts'
import { VERSION_NAME, VERSION_NAME_RULE } from '../workflows/version-name.ts'
import type { WantedDraft } from '../workflows/workflows.ts'
import { idField, inManifest, nameField, publishField, text } from './manifest-fields.ts'

export type ManifestWorkflow = WantedDraft & {
  id: string | undefined
  owner: string | undefined
  publish: { version: string | undefined; note: string | undefined } | undefined
}

/**
 * One of the `workflows` of a manifest. A canvas is an object, or the path of a file, seen from the manifest's `dir`. To be parsed
 * asynchronously: it reads that file.
 */
export const createWorkflowSchema = (dir: string) =>
  z
    .object({
      id: idField,
      owner: z.string().optional(),
      name: nameField,
      description: text(10_000).default(''),
      icon_url: text(2000).default(''),
      mode: z.enum(['workflow', 'chatflow'], 'must be workflow or chatflow').default('workflow'),
      app_id: idField,
      on_crash: z.enum(['resume', 'fail'], 'must be resume or fail').default('resume'),
      canvas: createCanvasField(dir),
      role: roleField,
      publish: publishField.refine((publish) => publish?.version === undefined || VERSION_NAME.test(publish.version), {
        path: ['version'],
        error: VERSION_NAME_RULE,
      }),
    })
    .strict()
    .superRefine(({ mode, role }, context) => {
      if (mode !== 'chatflow' && role !== undefined)
        context.addIssue({ code: 'custom', path: ['role'], message: 'only a chatflow has a role: set mode to chatflow' })
    })
    .transform(({ icon_url: iconUrl, app_id: appId, on_crash: onCrash, role, publish, ...rest }): ManifestWorkflow => ({
      ...{ ...rest, owner: rest.owner, id: rest.id, iconUrl, appId, onCrash },
      role: role ?? chatflowRoleSchema.parse({}),
      publish: publish && { version: publish.version, note: publish.note },
    }))

const settingsField = z.record(z.string(), z.unknown()).optional()

const roleField = z
  .object({
    name: z.string().optional(),
    description: z.string().optional(),
    avatar_url: z.string().optional(),
    onboarding: z
      .object({
        prologue: z.string().optional(),
        suggested_questions: z.array(z.string()).optional(),
        display_all_suggestions: z.boolean().optional(),
      })
      .strict()
      .optional(),
    suggest_replies: z
      .object({ mode: z.enum(['off', 'system', 'custom'], 'must be off, system or custom'), prompt: z.string().optional() })
      .strict()
      .optional(),
    background: settingsField,
    audio: settingsField,
    user_input: settingsField,
  })
  .strict()
  .transform(({ avatar_url: avatarUrl, onboarding, suggest_replies: suggestReplies, user_input: userInput, ...rest }, context) => {
    const greeting = onboarding && {
      prologue: onboarding.prologue,
      suggestedQuestions: onboarding.suggested_questions,
      displayAllSuggestions: onboarding.display_all_suggestions,
    }
    const role = chatflowRoleSchema.safeParse({ ...rest, avatarUrl, onboarding: greeting, suggestReplies, userInput })
    if (role.success) return role.data
    for (const { path, message } of role.error.issues) context.addIssue({ code: 'custom', path: path.map(inManifest), message })
    return z.NEVER
  })
  .optional()

const createCanvasField = (dir: string) =>
  z
    .union([z.string(), z.record(z.string(), z.unknown())], { error: 'must be a canvas of Coze Studio, or the path of its JSON file' })
    .transform(async (canvas, context) => {
      try {
        return toCanvasText(typeof canvas === 'string' ? await readCanvasFile(resolve(dir, canvas)) : parseInline(canvas))
      } catch (cause) {
        if (!(cause instanceof AppError)) throw cause
        context.addIssue({ code: 'custom', message: typeof canvas === 'string' ? `${canvas}: ${cause.message}` : cause.message })
        return z.NEVER
      }
    })

/** What YAML or JSON was read from is nothing but values. */
const parseInline = (canvas: Record<string, unknown>): ValueObject => canvas as ValueObject

/** Throws `invalid_request` for a file that cannot be read. */
export async function readCanvasFile(path: string): Promise<string> {
  try {
    // without the mark that editors of Windows put in front
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  } catch (cause) {
    throw new AppError('invalid_request', 'the file cannot be read', { cause })
  }
}
