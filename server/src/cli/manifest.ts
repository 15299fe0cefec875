import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { appConversationsSchema, appVariablesSchema } from '../bots/app-store.ts'
import type { WantedApp } from '../bots/apps.ts'
import { botConfigSchema } from '../bots/bot-config.ts'
import type { BotConfig } from '../bots/bot-config.ts'
import type { BotToolSettings } from '../bots/bot-tools.ts'
import { environment } from '../config.ts'
import { AppError } from '../lib/app-error.ts'
import { databaseSchema } from './manifest-databases.ts'
import type { ManifestDatabase } from './manifest-databases.ts'
import { idField, inManifest, nameField, publishField, text, versionField } from './manifest-fields.ts'
import { createPluginSchema } from './manifest-plugins.ts'
import type { ManifestPlugin } from './manifest-plugins.ts'
import { createToolsSchema } from './manifest-tools.ts'
import { createWorkflowSchema } from './manifest-workflows.ts'
import type { ManifestWorkflow } from './manifest-workflows.ts'

/** What a manifest says: models, apps, plugins, databases, workflows and bots as they should be. */
export type Manifest = {
  models: ManifestModel[]
  apps: ManifestApp[]
  plugins: ManifestPlugin[]
  databases: ManifestDatabase[]
  workflows: ManifestWorkflow[]
  bots: ManifestBot[]
}

export type ManifestModel = {
  name: string
  id?: string
  protocol: 'openai' | 'anthropic' | 'google' | 'demo'
  baseUrl: string
  apiKey: string
  providerModel: string
}

export type ManifestApp = WantedApp & { owner: string | undefined }

export type ManifestBot = {
  id: string | undefined
  owner: string | undefined
  name: string
  description: string
  iconUrl: string
  /** Without its tools, whose headers are still in clear, and its workflows, of which ids or names are known. */
  config: BotConfig
  tools: BotToolSettings[]
  workflows: string[]
  /** The one that answers in the mode `chatflow`. */
  chatflow: string | undefined
  publish: { version: string | undefined; note: string | undefined } | undefined
}

/** Reads YAML or JSON with `${VARIABLES}` filled in. Throws `invalid_request` naming every place that is wrong. */
export async function readManifest(path: string): Promise<Manifest> {
  const parsed = await createManifestSchema(dirname(path)).safeParseAsync(parseText(await readText(path), path))
  if (parsed.success) return parsed.data

  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || 'manifest'}: ${issue.message}`)
  throw new AppError('invalid_request', `${path} cannot be applied, nothing was changed:\n${problems.join('\n')}`)
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new AppError('invalid_request', `${path} cannot be read`, { cause })
  }
}

function parseText(text: string, path: string): unknown {
  try {
    // ids have up to 19 digits
    return expandVariables(parse(text, { intAsBigInt: true }) as unknown, '')
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError(
      'invalid_request',
      `${path} is neither YAML nor JSON: ${cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : ''}`,
      { cause },
    )
  }
}

/** A canvas that stands in the manifest is kept to the letter: the code of its nodes has `${…}` of its own. */
const VERBATIM = '.workflows[].canvas'

/** Also turns the parser's exact integers into numbers where those are exact, else into digits. */
function expandVariables(value: unknown, at: string): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (typeof value === 'string') return value.replace(/\$\{(\w+)\}/g, (_placeholder, name: string) => valueOf(name))
  if (Array.isArray(value)) return value.map((each) => expandVariables(each, `${at}[]`))
  if (typeof value !== 'object' || value === null || at === VERBATIM) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, expandVariables(each, `${at}.${key}`)]))
}

function valueOf(name: string): string {
  const value = environment[name]
  if (value === undefined) throw new AppError('invalid_request', `the variable ${name}, which the manifest uses, is not set`)
  return value
}

const modelSchema = z
  .object({
    name: text(100)
      .min(1, 'must not be empty')
      .refine((name) => name !== 'demo', '`demo` is built in'),
    id: idField,
    protocol: z.enum(['openai', 'anthropic', 'google', 'demo'], 'must be openai, anthropic, google or demo').default('openai'),
    base_url: z.union([z.literal(''), z.url({ protocol: /^https?$/ })], { error: 'must be an http(s) URL' }).default(''),
    api_key: text(1000).default(''),
    model: text(200).default(''),
  })
  .strict()
  .transform(({ base_url: baseUrl, api_key: apiKey, model: providerModel, ...rest }): ManifestModel => ({
    ...rest,
    baseUrl,
    apiKey,
    providerModel,
  }))

const parametersSchema = z
  .object({
    temperature: z.number().optional(),
    top_p: z.number().optional(),
    max_tokens: z.number().optional(),
    presence_penalty: z.number().optional(),
    frequency_penalty: z.number().optional(),
    response_format: z.enum(['text', 'json']).optional(),
    history_rounds: z.number().optional(),
  })
  .strict()
  .transform((from) => ({
    temperature: from.temperature,
    topP: from.top_p,
    maxTokens: from.max_tokens,
    presencePenalty: from.presence_penalty,
    frequencyPenalty: from.frequency_penalty,
    responseFormat: from.response_format,
    historyRounds: from.history_rounds,
  }))

const workflowName = z.union([z.int(), z.string().min(1)], { error: 'must be the id or the name of a workflow' }).transform(String)

const botFields = z
  .object({
    id: idField,
    owner: z.string().optional(),
    name: nameField,
    description: text(10_000).default(''),
    icon_url: text(2000).default(''),
    prompt: z.string().default(''),
    model: z.string().default('default'),
    parameters: parametersSchema.optional(),
    onboarding: z
      .object({ prologue: z.string().optional(), suggested_questions: z.array(z.string()).optional() })
      .strict()
      .optional(),
    suggest_replies: z.boolean().optional(),
    webhook: z.union([z.literal(''), z.url({ protocol: /^https?$/ })], { error: 'must be an http(s) URL' }).optional(),
    shortcuts: z
      .array(z.object({ id: z.union([z.int(), z.string()]).transform(String), name: z.string(), prompt: z.string() }).strict())
      .optional(),
    variables: z
      .array(z.object({ name: z.string(), default: z.string().optional(), description: z.string().optional() }).strict())
      .optional(),
    workflows: z.array(workflowName).max(50, 'must have at most 50 workflows').default([]),
    mode: z.enum(['agent', 'chatflow'], 'must be agent or chatflow').default('agent'),
    workflow: workflowName.optional(),
    publish: publishField,
  })
  .strict()

const createBotSchema = (dir: string) =>
  botFields
    .extend({ tools: createToolsSchema(dir).default([]) })
    .superRefine(({ mode, workflow }, context) => {
      if ((mode === 'chatflow') === (workflow !== undefined)) return
      const message =
        mode === 'chatflow' ? 'must name the chatflow that answers' : 'answers only in the mode chatflow: see `workflows` for tools'
      context.addIssue({ code: 'custom', path: ['workflow'], message })
    })
    .transform(toManifestBot)

type BotFields = z.infer<typeof botFields> & { tools: BotToolSettings[] }

function toManifestBot(bot: BotFields, context: z.RefinementCtx): ManifestBot {
  const {
    id,
    owner,
    name,
    description,
    icon_url: iconUrl,
    prompt,
    model,
    parameters,
    onboarding,
    suggest_replies: suggestReplies,
    webhook: webhookUrl,
    shortcuts,
    variables,
    tools,
    workflows,
    mode,
    workflow: chatflow,
    publish,
  } = bot
  const greeting = onboarding && { prologue: onboarding.prologue, suggestedQuestions: onboarding.suggested_questions }
  const config = botConfigSchema.safeParse({
    prompt,
    model,
    parameters,
    onboarding: greeting,
    suggestReplies,
    variables,
    webhookUrl,
    shortcuts,
    mode,
  })
  if (!config.success) {
    for (const { path, message } of config.error.issues) context.addIssue({ code: 'custom', path: path.map(inManifest), message })
    return z.NEVER
  }
  return {
    id,
    owner,
    name,
    description,
    iconUrl,
    config: config.data,
    tools,
    workflows,
    chatflow,
    publish: publish && { version: publish.version, note: publish.note },
  }
}

const appSchema = z
  .object({
    id: idField,
    owner: z.string().optional(),
    name: nameField,
    description: text(10_000).default(''),
    icon_url: text(2000).default(''),
    version: versionField.default('1.0.0'),
    variables: appVariablesSchema,
    conversations: appConversationsSchema,
  })
  .strict()
  .transform(({ icon_url: iconUrl, owner, ...rest }): ManifestApp => ({ ...rest, iconUrl, owner }))

const createManifestSchema = (dir: string) =>
  z
    .object({
      models: z.array(modelSchema).default([]),
      apps: z.array(appSchema).default([]),
      plugins: z.array(createPluginSchema(dir)).default([]),
      databases: z.array(databaseSchema).default([]),
      workflows: z.array(createWorkflowSchema(dir)).default([]),
      bots: z.array(createBotSchema(dir)).default([]),
    })
    .strict()
    .superRefine(({ models, apps, plugins, databases, workflows, bots }, context) => {
      const names = models.map((model) => model.name)
      for (const at of repeatsIn(names))
        context.addIssue({ code: 'custom', path: ['models', at, 'name'], message: `${names[at]} is there twice` })
      for (const [kind, things] of Object.entries({ apps, plugins, databases, workflows, bots })) {
        const ids = things.map(idOrName)
        for (const at of repeatsIn(ids)) context.addIssue({ code: 'custom', path: [kind, at, 'id'], message: `${ids[at]} is there twice` })
      }
    })

/** Without an id a thing is known by its name, among those of its owner. */
const idOrName = ({ id, name, owner }: { id?: string; name: string; owner: string | undefined }): string =>
  id ?? [name, owner].filter(Boolean).join(' of ')

const repeatsIn = (values: string[]): number[] => values.flatMap((value, at) => (values.indexOf(value) === at ? [] : [at]))
