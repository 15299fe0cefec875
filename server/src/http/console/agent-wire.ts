import { z } from 'zod'
import { idField } from '../open/open-fields.ts'
import { pageOf, pagingFields, revisionField, searchField, timeField } from './paging-wire.ts'

const text = (most: number) => z.string('must be a string').max(most, `must have at most ${most} characters`)
const between = (least: number, most: number) => {
  const rule = `must be a number from ${least} to ${most}`
  return z.number(rule).min(least, rule).max(most, rule)
}
const wholeBetween = (least: number, most: number) => between(least, most).int('must be a whole number')
const listOf = <T extends z.ZodType>(item: T, most: number) =>
  z.array(item, 'must be a list').max(most, `must have at most ${most} entries`)

const agentNameField = text(255).trim().min(1, 'must not be empty')
const NAME_RULE = 'must have 1 to 64 letters, digits, _ and -'
const toolNameField = z.string(NAME_RULE).regex(/^[a-zA-Z0-9_-]{1,64}$/, NAME_RULE)
const versionField = text(50).trim().min(1, 'must not be empty')

/**
 * A header that goes with each call. Values are secrets and never come back: `value` is null in replies, and null in a request
 * keeps what is stored. A header that is not in the list is deleted.
 */
const headerSchema = z.object({ name: text(200).min(1, 'must not be empty'), value: text(10_000).nullable() })
const timeoutField = wholeBetween(100, 120_000).default(30_000)

/** What the agent can call beside its workflows. `function`: the caller of the API executes it. */
export const agentToolSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('function'),
    name: toolNameField,
    description: text(2_000).default(''),
    parameters: z.record(z.string(), z.unknown()).default({ type: 'object', properties: {} }),
  }),
  z.object({
    type: z.literal('mcp'),
    name: toolNameField,
    url: text(2_000),
    headers: listOf(headerSchema, 50).default([]),
    timeout_ms: timeoutField,
    /** Names of the server's tools; null: all of them. */
    allow: listOf(text(200), 200).nullable().default(null),
  }),
  z.object({
    type: z.literal('openapi'),
    name: toolNameField,
    /** The document as an object; in requests also its text, YAML or JSON. */
    document: z.union([z.record(z.string(), z.unknown()), text(1_000_000)], { error: 'must be an OpenAPI document' }),
    /** Instead of the document's servers; empty: those. */
    base_url: text(2_000).default(''),
    headers: listOf(headerSchema, 50).default([]),
    timeout_ms: timeoutField,
    /** Ids of operations, or `GET /path`; null: all of them. */
    operations: listOf(text(500), 200).nullable().default(null),
  }),
])

/** All that a builder decides about an agent: the draft. Defaults stand in for what a request leaves out. */
export const agentDraftSchema = z.object({
  name: agentNameField,
  description: text(10_000).default(''),
  /** Empty, an http(s) URL, or the `icon_path` of an uploaded file. */
  icon_url: text(2_000).default(''),
  prompt: text(200_000).default(''),
  /** Name of a model. */
  model: text(100).min(1, 'must not be empty').default('default'),
  parameters: z
    .object({
      temperature: between(0, 2).nullable().default(null),
      top_p: between(0, 1).nullable().default(null),
      max_tokens: wholeBetween(1, 1_000_000).nullable().default(null),
      presence_penalty: between(-2, 2).nullable().default(null),
      frequency_penalty: between(-2, 2).nullable().default(null),
      response_format: z.enum(['text', 'json']).nullable().default(null),
      history_rounds: wholeBetween(0, 100).default(20),
    })
    .prefault({}),
  onboarding: z.object({ prologue: text(10_000).default(''), suggested_questions: listOf(text(1_000), 20).default([]) }).prefault({}),
  /** Follow-ups: three questions the user may ask next. */
  suggest_replies: z.boolean('must be true or false').default(false),
  /** `{{name}}` in the prompt. */
  variables: listOf(
    z.object({
      name: z.string().regex(/^[A-Za-z_]\w{0,99}$/, 'must begin with a letter and have letters, digits and _ only'),
      default: text(10_000).default(''),
      description: text(1_000).default(''),
    }),
    100,
  ).default([]),
  tools: listOf(agentToolSchema, 50).default([]),
  /** Ids of published workflows that the model may call. */
  workflows: listOf(idField, 50).default([]),
  /** Who answers: the model, or the chatflow of `chatflow_id`. */
  mode: z.enum(['agent', 'chatflow'], 'must be agent or chatflow').default('agent'),
  chatflow_id: z.union([z.literal(''), idField], 'must be empty or the id of a chatflow').default(''),
  webhook_url: text(2_000).default(''),
  shortcuts: listOf(z.object({ id: idField, name: text(100).min(1), prompt: text(10_000).min(1) }), 50).default([]),
})

export const agentListQuery = z.object({
  ...pagingFields,
  /** In the name or the id. */
  search: searchField,
  status: z.enum(['all', 'published', 'draft'], 'must be all, published or draft').default('all'),
})

/** Newest first. */
export const agentItemSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  /** The live version; null while it is not published. */
  version: z.string().nullable(),
  published_at: timeField.nullable(),
  updated_at: timeField,
  created_at: timeField,
  /** Of the API; previews do not count. Null: never. */
  last_call_at: timeField.nullable(),
})
export const agentPageSchema = pageOf(agentItemSchema)

export const templateListQuery = z.object({ language: z.enum(['en', 'zh'], 'must be en or zh').default('en') })
export const templateSchema = z.object({
  key: z.string(),
  name: z.string(),
  description: z.string(),
  /** What an agent made from it begins with. */
  draft: agentDraftSchema,
})
export const templateListSchema = z.object({ items: z.array(templateSchema) })

export const newAgentSchema = z.object({
  name: agentNameField,
  description: text(10_000).optional(),
  /** The key of a template; without one the agent is blank. */
  template: text(50).optional(),
  /** Of the template's texts. */
  language: z.enum(['en', 'zh'], 'must be en or zh').default('en'),
})

/** An agent as its editor needs it. */
export const agentSchema = z.object({
  id: z.string(),
  draft: agentDraftSchema,
  revision: z.string(),
  created_at: timeField,
  updated_at: timeField,
  live: z.object({ version: z.string(), note: z.string(), published_at: timeField }).nullable(),
  /** True also while nothing is live. */
  has_unpublished_changes: z.boolean(),
})

/** `revision` is the one that the draft was read or last saved with. When it is another by now: 409, and nothing is saved. */
export const saveDraftSchema = z.object({ draft: agentDraftSchema, revision: revisionField })

/** What is different in the draft: of a long text the page makes its own line diff. */
export const draftChangeSchema = z.object({
  /** As in the draft, such as `prompt` or `parameters.temperature` or `tools`. */
  path: z.string(),
  /** As the live version has it; null where there is none. */
  before: z.unknown(),
  after: z.unknown(),
})
export const agentDiffSchema = z.object({
  /** What the draft is compared with; null while nothing is live: then every field is a change. */
  version: z.string().nullable(),
  changes: z.array(draftChangeSchema),
})

export const publishSchema = z.object({
  /** The next number when absent. */
  version: versionField.optional(),
  note: text(2_000).default(''),
  /** When given: what is published must be this one, else 409. */
  revision: revisionField.optional(),
})
export const versionListQuery = z.object(pagingFields)
/** Newest first. */
export const versionSchema = z.object({
  version: z.string(),
  note: z.string(),
  name: z.string(),
  created_at: timeField,
  is_live: z.boolean(),
})
export const versionPageSchema = pageOf(versionSchema)
export const rollBackSchema = z.object({ version: versionField })
/** One version, whole: to look at, or to take over into the draft. */
export const versionDetailSchema = versionSchema.extend({ draft: agentDraftSchema })

/** The name, as a confirmation. */
export const deleteSchema = z.object({ name: z.string('must be the name of what is deleted') })

/** What the tools of the draft offer, as asked of their servers just now. */
export const toolCheckSchema = z.object({
  tools: z.array(z.object({ name: z.string(), description: z.string() })),
  /** In words: which source cannot be used, and why. */
  problems: z.array(z.string()),
})

/** An uploaded file: the body is the file itself, its type in Content-Type, its name in `?name=`. */
export const uploadQuery = z.object({ name: text(255).optional() })
export const uploadedSchema = z.object({
  id: z.string(),
  name: z.string(),
  size_bytes: z.number(),
  mime: z.string(),
  /** For seven days. */
  url: z.string(),
  /** For `icon_url`; null when the file is no picture. */
  icon_path: z.string().nullable(),
})

export type AgentTool = z.infer<typeof agentToolSchema>
export type AgentDraft = z.infer<typeof agentDraftSchema>
export type AgentItem = z.infer<typeof agentItemSchema>
export type AgentPage = z.infer<typeof agentPageSchema>
export type AgentListQuery = z.input<typeof agentListQuery>
export type AgentTemplate = z.infer<typeof templateSchema>
export type NewAgent = z.input<typeof newAgentSchema>
export type Agent = z.infer<typeof agentSchema>
export type SaveDraft = z.input<typeof saveDraftSchema>
export type DraftChange = z.infer<typeof draftChangeSchema>
export type AgentDiff = z.infer<typeof agentDiffSchema>
export type PublishRequest = z.input<typeof publishSchema>
export type Version = z.infer<typeof versionSchema>
export type VersionPage = z.infer<typeof versionPageSchema>
export type VersionDetail = z.infer<typeof versionDetailSchema>
export type ToolCheck = z.infer<typeof toolCheckSchema>
export type Uploaded = z.infer<typeof uploadedSchema>
