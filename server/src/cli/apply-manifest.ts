import type { Principal } from '../accounts/principal.ts'
import { saveApp } from '../bots/apps.ts'
import { findBot, findBotByName, findBotVersion } from '../bots/bot-store.ts'
import type { Bot, BotConfig, BotVersion } from '../bots/bot-config.ts'
import { sealBotTools } from '../bots/bot-tools.ts'
import { createBot, hasUnpublishedChanges, isDraftOf, publishBot, rollBackBot, saveDraft } from '../bots/bots.ts'
import type { Core } from '../core.ts'
import { AppError } from '../lib/app-error.ts'
import { findModelByName, saveModel } from '../models/model-store.ts'
import { savePlugin } from '../workflows/plugins/plugins.ts'
import { saveUserTable } from '../workflows/tables/saved-user-tables.ts'
import { findWorkflow, findWorkflowByName } from '../workflows/workflow-store.ts'
import type { Workflow } from '../workflows/workflow-record.ts'
import { ownerIdOf } from './applied.ts'
import type { Applied } from './applied.ts'
import { applyWorkflows } from './apply-workflows.ts'
import type { Manifest, ManifestApp, ManifestBot, ManifestModel } from './manifest.ts'
import type { ManifestDatabase } from './manifest-databases.ts'
import type { ManifestPlugin } from './manifest-plugins.ts'

/** Makes it so: all of the manifest or, when a part is refused, nothing. Doing it twice changes nothing. */
export async function applyManifest(core: Core, manifest: Manifest): Promise<Applied[]> {
  return core.db.transaction().execute(async (tx) => {
    const deps = { ...core, db: tx }
    const applied: Applied[] = []
    for (const model of manifest.models) applied.push(await applyModel(deps, model))
    for (const app of manifest.apps) applied.push(await applyApp(deps, app))
    for (const plugin of manifest.plugins) applied.push(await applyPlugin(deps, plugin))
    for (const database of manifest.databases) applied.push(await applyDatabase(deps, database))
    applied.push(...(await applyWorkflows(deps, manifest.workflows)))
    for (const bot of manifest.bots) applied.push(await applyBot(deps, bot))
    return applied
  })
}

async function applyModel(core: Core, wanted: ManifestModel): Promise<Applied> {
  const { id, change } = await saveModel(core, wanted)
  return { kind: 'model', id, name: wanted.name, change }
}

async function applyApp(core: Core, { owner, ...wanted }: ManifestApp): Promise<Applied> {
  const who = { userId: await ownerIdOf(core, { thing: `app ${wanted.name}`, owner }) }
  const { id, change } = await saveApp(core, who, wanted)
  return { kind: 'app', id, name: wanted.name, change }
}

async function applyPlugin(core: Core, { owner, ...wanted }: ManifestPlugin): Promise<Applied> {
  const who = { userId: await ownerIdOf(core, { thing: `plugin ${wanted.name}`, owner }) }
  const { id, change } = await savePlugin(core, who, wanted)
  return { kind: 'plugin', id, name: wanted.name, change }
}

/** @NOTE makes no tables: that would end the transaction in MySQL. They are made when a workflow first uses them. */
async function applyDatabase(core: Core, { owner, ...wanted }: ManifestDatabase): Promise<Applied> {
  const who = { userId: await ownerIdOf(core, { thing: `database ${wanted.name}`, owner }) }
  const { id, change } = await saveUserTable(core, who, wanted)
  return { kind: 'database', id, name: wanted.name, change }
}

async function applyBot(core: Core, wanted: ManifestBot): Promise<Applied> {
  const who = { userId: await ownerIdOf(core, { thing: `bot ${wanted.name}`, owner: wanted.owner }) }
  await assertModel(core, wanted)

  const { id, name, description, iconUrl } = wanted
  const existing = id === undefined ? await findBotByName(core.db, who.userId, name) : await findBot(core.db, id)
  if (existing && existing.ownerId !== who.userId) throw new AppError('conflict', `bot ${existing.id} belongs to another user`)

  const tools = sealBotTools(core.secrets, wanted.tools, existing?.draft.tools ?? [])
  const config = { ...wanted.config, tools, ...(await findBotWorkflows(core, who, wanted)) }
  const profile = { name, description, iconUrl, config }
  const bot = existing
    ? await saveIfDifferent(core, existing, profile)
    : { ...(await createBot(core, who, { id, ...profile })), change: 'created' as const }
  const result: Applied = { kind: 'bot', id: bot.id, name, change: bot.change }
  if (!wanted.publish || !(await hasUnpublishedChanges(core, bot))) return result

  const version = (await goBackTo(core, bot, wanted.publish.version)) ?? (await publishBot(core, who, { botId: bot.id, ...wanted.publish }))
  return { ...result, published: version.version }
}

/** After a roll-back the manifest's version is there already, with just this content: it becomes the live one again. */
async function goBackTo(core: Core, bot: Bot, version: string | undefined): Promise<BotVersion | undefined> {
  const known = version === undefined ? undefined : await findBotVersion(core.db, bot.id, version)
  if (!known || !isDraftOf(bot, known)) return undefined
  return rollBackBot(core, { userId: bot.ownerId }, { botId: bot.id, version: known.version })
}

type Wanted = Pick<ManifestBot, 'name' | 'description' | 'iconUrl' | 'config'>

async function saveIfDifferent(core: Core, bot: Bot, wanted: Wanted): Promise<Bot & { change: 'updated' | 'unchanged' }> {
  const isSame =
    JSON.stringify([bot.name, bot.description, bot.iconUrl, bot.draft]) ===
    JSON.stringify([wanted.name, wanted.description, wanted.iconUrl, wanted.config])
  if (isSame) return { ...bot, change: 'unchanged' }
  return { ...(await saveDraft(core, { userId: bot.ownerId }, { botId: bot.id, ...wanted })), change: 'updated' }
}

/** Workflows by id or name, as ids. */
async function findBotWorkflows(
  core: Core,
  who: Principal,
  { name, workflows, chatflow }: ManifestBot,
): Promise<Pick<BotConfig, 'workflows' | 'chatflowId'>> {
  const find = async (idOrName: string): Promise<Workflow> => {
    const byId = /^\d{1,19}$/.test(idOrName) ? await findWorkflow(core.db, idOrName) : undefined
    const found = byId?.ownerId === who.userId ? byId : await findWorkflowByName(core.db, who.userId, idOrName)
    if (!found) throw new AppError('invalid_request', `bot ${name}: its owner has no workflow with the id or name ${idOrName}`)
    return found
  }
  const ids: string[] = []
  for (const each of workflows) ids.push((await find(each)).id)

  const answering = chatflow === undefined ? undefined : await find(chatflow)
  if (answering && answering.mode !== 'chatflow')
    throw new AppError('invalid_request', `bot ${name}: the workflow ${answering.name} is no chatflow, so it cannot answer chats`)
  return { workflows: [...new Set(ids)], chatflowId: answering?.id ?? '' }
}

async function assertModel(core: Core, { name, config }: ManifestBot): Promise<void> {
  if (config.model === 'demo' || config.model === 'default' || (await findModelByName(core.db, config.model))) return
  throw new AppError('invalid_request', `bot ${name}: there is no model named ${config.model}`)
}
