import type { BotToolSettings, ServerToolSettings } from '../../src/bots/bot-tools.ts'
import { createGuardedFetch } from '../../src/lib/guarded-fetch.ts'
import { createSecretBox } from '../../src/lib/secret-box.ts'
import { createToolSets } from '../../src/tools/tool-set.ts'
import { savePlugin } from '../../src/workflows/plugins/plugins.ts'
import { createWorkflowPlugins } from '../../src/workflows/plugins/workflow-plugins.ts'
import type { PluginOperation } from '../../src/workflows/plugins/workflow-plugins.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { openDatabase } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'

export const ADA = { userId: '1' }
export const BOB = { userId: '2' }
export const PLUGIN = '7348853341922983946'

/** Plugins in a database of their own, called as a run calls them. 127.0.0.1 is open. */
export async function openPluginHouse() {
  const db = await openDatabase({ kind: 'sqlite', path: ':memory:' })
  await migrate(db)
  const secrets = createSecretBox('master')
  const guardedFetch = createGuardedFetch({ allowedCidrs: ['127.0.0.1/32'] })
  const errors: unknown[] = []
  const toolSets = createToolSets({ secrets, guardedFetch, clock: Date.now, onError: (cause) => errors.push(cause) })
  const never = new AbortController().signal
  const newRun = (who = ADA) => createWorkflowPlugins({ db, toolSets }, who)

  return {
    ...{ db, newRun, errors },
    save: (tool: ServerToolSettings, { id = PLUGIN, who = ADA } = {}) =>
      savePlugin({ db, secrets, clock: Date.now }, who, { id, tool, name: '天气', description: '', iconUrl: '' }),
    call: (wanted: Partial<PluginOperation>, args: ValueObject = {}, { who = ADA, signal = never } = {}) =>
      newRun(who).call({ pluginId: PLUGIN, apiId: '', apiName: '', ...wanted }, args, { signal }),
    describe: (wanted: Partial<PluginOperation>) =>
      newRun().describe({ pluginId: PLUGIN, apiId: '', apiName: '', ...wanted }, { signal: never }),
    async [Symbol.asyncDispose]() {
      await toolSets.close()
      await guardedFetch.close()
      await db.destroy()
    },
  }
}

const common = { name: 'api', headers: {}, timeoutMs: 2_000 }

export const mcpTool = (url: string, more: Partial<ServerToolSettings & { type: 'mcp' }> = {}) =>
  ({ type: 'mcp', ...common, url, ...more }) satisfies BotToolSettings

/** `paths` of an OpenAPI document. */
export const openapiTool = (baseUrl: string, paths: object, more: Partial<ServerToolSettings & { type: 'openapi' }> = {}) =>
  ({ type: 'openapi', ...common, baseUrl, document: { openapi: '3.1.0', paths }, ...more }) satisfies BotToolSettings
