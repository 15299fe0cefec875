import { z } from 'zod'
import { optionalIdField } from '../open/open-fields.ts'
import { pageOf, pagingFields, revisionField, searchField, timeField } from './paging-wire.ts'

const text = (most: number) => z.string('must be a string').max(most, `must have at most ${most} characters`)
const nameField = text(255).trim().min(1, 'must not be empty')

export const modeField = z.enum(['workflow', 'chatflow'], 'must be workflow or chatflow')

export const workflowListQuery = z.object({
  ...pagingFields,
  search: searchField,
  mode: modeField.optional(),
  status: z.enum(['all', 'published', 'draft'], 'must be all, published or draft').default('all'),
})

/** Newest first. */
export const workflowItemSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  mode: modeField,
  app_id: z.string().nullable(),
  version: z.string().nullable(),
  published_at: timeField.nullable(),
  created_at: timeField,
  updated_at: timeField,
})
export const workflowPageSchema = pageOf(workflowItemSchema)

/** Something in a canvas that keeps it from running. */
export const canvasIssueSchema = z.object({
  /** Null: it is about the canvas. */
  node_id: z.string().nullable(),
  node_title: z.string(),
  /** In the direction in which it is drawn. */
  edge: z.object({ from: z.string(), to: z.string() }).nullable(),
  /** From the node's `data` inwards, such as `inputs.inputParameters[0].input`. */
  path: z.string(),
  message: z.string(),
})
/** A group for each workflow with issues: the one that was checked (`workflow_id` null), and drafts that it calls. None: it can run. */
export const issueGroupSchema = z.object({
  workflow_id: z.string().nullable(),
  name: z.string(),
  issues: z.array(canvasIssueSchema),
})
export const checkedSchema = z.object({ groups: z.array(issueGroupSchema) })

/** The text of a canvas: Coze Studio's JSON. Text, because its numbers may have more digits than a browser's have. */
const canvasField = z.string('must be the text of a canvas').max(8_000_000, 'must have at most 8000000 characters')

export const newWorkflowSchema = z.object({
  name: nameField,
  description: text(10_000).default(''),
  mode: modeField.default('workflow'),
  app_id: optionalIdField,
  /** A canvas as Coze Studio exports it; without one the workflow is an entry and an exit. */
  canvas: canvasField.optional(),
})

export const workflowDraftSchema = z.object({
  name: nameField,
  description: text(10_000).default(''),
  icon_url: text(2_000).default(''),
  mode: modeField.default('workflow'),
  app_id: z.string().nullable().default(null),
  /** Whether a run goes on or fails when its server dies. */
  on_crash: z.enum(['resume', 'fail'], 'must be resume or fail').default('resume'),
  canvas: canvasField,
})

export type WireType = {
  kind: 'string' | 'integer' | 'number' | 'boolean' | 'time' | 'file' | 'object' | 'list'
  /** Of a file: image, doc, audio, …. */
  file?: string
  fields?: WireField[]
  element?: WireType
}
export type WireField = { name: string; type: WireType; required: boolean; description: string; default: string | null }

export const wireTypeSchema: z.ZodType<WireType> = z.lazy(() =>
  z.object({
    kind: z.enum(['string', 'integer', 'number', 'boolean', 'time', 'file', 'object', 'list']),
    file: z.string().optional(),
    fields: z.array(wireFieldSchema).optional(),
    element: wireTypeSchema.optional(),
  }),
)
export const wireFieldSchema: z.ZodType<WireField> = z.lazy(() =>
  z.object({
    name: z.string(),
    type: wireTypeSchema,
    required: z.boolean(),
    description: z.string(),
    default: z.string().nullable(),
  }),
)

/** A workflow as its editor needs it. */
export const workflowSchema = z.object({
  id: z.string(),
  draft: workflowDraftSchema,
  revision: z.string(),
  created_at: timeField,
  updated_at: timeField,
  live: z.object({ version: z.string(), note: z.string(), published_at: timeField }).nullable(),
  has_unpublished_changes: z.boolean(),
  /** Of the draft, for the form of a test run; null for a canvas that cannot be read. */
  inputs: z.array(wireFieldSchema).nullable(),
})
/** With what keeps its canvas from running. */
export const createdWorkflowSchema = workflowSchema.extend({ groups: z.array(issueGroupSchema) })

/** As with agents: 409 when the draft was changed since that revision. */
export const saveWorkflowSchema = z.object({ draft: workflowDraftSchema, revision: revisionField })
export const savedWorkflowSchema = workflowSchema.omit({ draft: true })

/** Of this canvas; without one of the stored draft. */
export const checkWorkflowSchema = z.object({ canvas: canvasField.optional() })

/** One version, whole. */
export const workflowVersionSchema = z.object({
  version: z.string(),
  note: z.string(),
  name: z.string(),
  created_at: timeField,
  is_live: z.boolean(),
  draft: workflowDraftSchema,
})

const localText = z.object({ en: z.string(), zh: z.string() })
/** A setting that a panel can offer. What none is given for, the panel shows as JSON. */
export const settingHintSchema = z.object({
  /** Below the node's `data`, such as `inputs.llmParam`, and the name in a list of params where `param` is given. */
  path: z.string(),
  /** The setting is the entry of this name in a list of `{name, input}`. */
  param: z.string().optional(),
  kind: z.enum([
    'text', // one line
    'long_text', // may hold {{references}}
    'number',
    'boolean',
    'select', // one of `options`
    'code', // program text; `language` beside it
    'inputs', // a list of {name, input}
    'outputs', // a list of declared variables
    'value', // one {type, value}: a literal or a reference
    'texts', // a list of texts
    'conditions', // branches of a selector
    'model', // the number of a model
    'workflow', // the id of a workflow
    'json', // anything else
  ]),
  label: localText,
  options: z.array(z.object({ value: z.union([z.string(), z.number()]), label: localText })).optional(),
})
/** A kind of node. */
export const nodeTypeSchema = z.object({
  /** `type` in a canvas. */
  code: z.string(),
  /** Its name in events of a run. */
  name: z.string(),
  label: localText,
  description: localText,
  group: z.enum(['flow', 'logic', 'ai', 'data', 'tools', 'chat', 'other']),
  /** Where edges begin: ids of `sourcePortID`, the empty one being the plain output. */
  ports: z.array(z.object({ id: z.string(), label: localText })),
  /** More ports than `ports`, by the settings. */
  port_rule: z.enum(['none', 'conditions', 'options', 'intents']),
  /** Edges may lead to it; not to an entry. */
  has_input: z.boolean(),
  /** Has a body with nodes of its own: `blocks` and `edges`. */
  has_body: z.boolean(),
  /** May stand only in such a body. */
  only_in_body: z.boolean(),
  /** May have the port `branch_error` and `inputs.settingOnError`. */
  handles_errors: z.boolean(),
  /** Can be added: there is one entry and one exit, and no more. */
  can_add: z.boolean(),
  settings: z.array(settingHintSchema),
  /** `data` of a new node. */
  initial: z.record(z.string(), z.unknown()),
})
export const nodeTypeListSchema = z.object({ items: z.array(nodeTypeSchema) })

export type WorkflowListQuery = z.input<typeof workflowListQuery>
export type WorkflowItem = z.infer<typeof workflowItemSchema>
export type WorkflowPage = z.infer<typeof workflowPageSchema>
export type CanvasIssue = z.infer<typeof canvasIssueSchema>
export type IssueGroup = z.infer<typeof issueGroupSchema>
export type CheckedWorkflow = z.infer<typeof checkedSchema>
export type NewWorkflow = z.input<typeof newWorkflowSchema>
export type WorkflowDraft = z.infer<typeof workflowDraftSchema>
export type Workflow = z.infer<typeof workflowSchema>
export type CreatedWorkflow = z.infer<typeof createdWorkflowSchema>
export type SaveWorkflow = z.input<typeof saveWorkflowSchema>
export type SavedWorkflow = z.infer<typeof savedWorkflowSchema>
export type WorkflowVersion = z.infer<typeof workflowVersionSchema>
export type NodeTypeInfo = z.infer<typeof nodeTypeSchema>
export type SettingHint = z.infer<typeof settingHintSchema>
