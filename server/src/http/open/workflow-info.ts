import { z } from 'zod'
import type { ListedVersion, ListedWorkflow, Workflow } from '../../workflows/workflow-record.ts'
import { toIconUrl } from './bot-wire.ts'
import { toSeconds } from './open-fields.ts'

/** Workflows as the wire has them. Times are texts here, as Coze writes them. */
const creatorSchema = z.object({ id: z.string(), name: z.string() })
export type Creator = z.infer<typeof creatorSchema>

export const workflowDetailSchema = z.object({
  workflow_id: z.string(),
  workflow_name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  app_id: z.string().describe('"0" for a workflow of no app.'),
  workflow_mode: z.enum(['workflow', 'chatflow']),
  version: z.string().describe('The live version; empty while there is none.'),
  created_at: z.string(),
  updated_at: z.string(),
  creator: creatorSchema,
})
export const listedWorkflowSchema = workflowDetailSchema

export type InfoContext = { creator: Creator; publicUrl: string }

export function toWorkflowDetail(
  workflow: Pick<Workflow, 'id' | 'name' | 'description' | 'iconUrl' | 'appId' | 'mode' | 'createdAt' | 'updatedAt'> & { version: string },
  { creator, publicUrl }: InfoContext,
): z.infer<typeof workflowDetailSchema> {
  return {
    workflow_id: workflow.id,
    workflow_name: workflow.name,
    description: workflow.description,
    icon_url: toIconUrl(workflow.iconUrl, publicUrl),
    app_id: workflow.appId ?? '0',
    workflow_mode: workflow.mode,
    version: workflow.version,
    created_at: String(toSeconds(workflow.createdAt)),
    updated_at: String(toSeconds(workflow.updatedAt)),
    creator,
  }
}

export const toListedWorkflow = (workflow: ListedWorkflow, context: InfoContext): z.infer<typeof listedWorkflowSchema> =>
  toWorkflowDetail({ ...workflow, version: workflow.live?.version ?? '' }, context)

const settingsSchema = z.record(z.string(), z.unknown())

export const roleSchema = z.object({
  id: z.string(),
  workflow_id: z.string(),
  connector_id: z.string(),
  name: z.string(),
  description: z.string(),
  avatar: z.object({ image_url: z.string() }),
  onboarding_info: z.object({
    prologue: z.string(),
    suggested_questions: z.array(z.string()),
    display_all_suggestions: z.boolean(),
  }),
  suggest_reply_info: z.object({ suggest_reply_mode: z.number(), customized_suggest_prompt: z.string() }),
  background_image_info: settingsSchema,
  audio_config: settingsSchema,
  user_input_config: settingsSchema,
  project_version: z.string(),
})

const SUGGEST_MODES = ['off', 'system', 'custom']

/** How a chatflow shows itself in a chat; a workflow does not. */
export function toRole({ id, mode, role, version }: Workflow & { version: string }, publicUrl: string): z.infer<typeof roleSchema> | null {
  if (mode !== 'chatflow') return null
  const { prologue, suggestedQuestions, displayAllSuggestions } = role.onboarding
  return {
    ...{ id, workflow_id: id, connector_id: '1024', name: role.name, description: role.description },
    avatar: { image_url: toIconUrl(role.avatarUrl, publicUrl) },
    onboarding_info: { prologue, suggested_questions: suggestedQuestions, display_all_suggestions: displayAllSuggestions },
    suggest_reply_info: {
      suggest_reply_mode: SUGGEST_MODES.indexOf(role.suggestReplies.mode),
      customized_suggest_prompt: role.suggestReplies.prompt,
    },
    ...{ background_image_info: role.background, audio_config: role.audio, user_input_config: role.userInput },
    project_version: version,
  }
}

export const versionSchema = z.object({
  version: z.string(),
  description: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  workflow_id: z.string(),
  creator: creatorSchema,
})

export function toVersion({ version, note, createdAt, workflowId }: ListedVersion, creator: Creator): z.infer<typeof versionSchema> {
  const at = String(toSeconds(createdAt))
  return { version, description: note, created_at: at, updated_at: at, workflow_id: workflowId, creator }
}
