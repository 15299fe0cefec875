import { z } from 'zod'
import { toToolName } from '../tools/tool-names.ts'
import type { WantedPlugin } from '../workflows/plugins/plugins.ts'
import { idField, nameField, text } from './manifest-fields.ts'
import { createServerToolSchema } from './manifest-tools.ts'

export type ManifestPlugin = WantedPlugin & { owner: string | undefined }

/**
 * One of the `plugins` of a manifest: written as a tool of a bot, with the id by which canvases call it. Documents are seen from the
 * manifest's `dir`. To be parsed asynchronously.
 */
export const createPluginSchema = (dir: string) => {
  const toolSchema = createServerToolSchema(dir)
  return pluginFields.transform(async ({ id, owner, name, description, icon_url: iconUrl, ...rest }, context): Promise<ManifestPlugin> => {
    // canvases know a plugin by its id: it may be called what it likes
    const tool = await toolSchema.safeParseAsync({ ...rest, name: toToolName(name) })
    if (tool.success) return { id, owner, name, description, iconUrl, tool: tool.data }

    for (const { path, message } of tool.error.issues) context.addIssue({ code: 'custom', path, message })
    return z.NEVER
  })
}

/** What is not named here is the tool's. */
const pluginFields = z.looseObject({
  id: idField.unwrap(),
  owner: z.string().optional(),
  name: nameField,
  description: text(10_000).default(''),
  icon_url: text(2000).default(''),
})
