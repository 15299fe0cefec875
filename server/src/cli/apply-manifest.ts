import { getUserByEmail, listUsers } from '../accounts/users.ts'
import { saveApp } from '../bots/apps.ts'
import { findBot, findBotByName, findBotVersion } from '../bots/bot-store.ts'
import type { Bot, BotVersion } from '../bots/bot-config.ts'
import { sealBotTools } from '../bots/bot-tools.ts'
import { createBot, hasUnpublishedChanges, isDraftOf, publishBot, rollBackBot, saveDraft } from '../bots/bots.ts'
import type { Core } from '../core.ts'
import { AppError } from '../lib/app-error.ts'
import { findModelByName, saveModel } from '../models/model-store.ts'
import type { Manifest, ManifestApp, ManifestBot, ManifestModel } from './manifest.ts'

/** What became of one thing of a manifest. */
export type Applied = {
  kind: 'model' | 'app' | 'bot'
  id: string
  name: string
  change: 'created' | 'updated' | 'unchanged'
  published?: string
}

/** Makes it so: all of the manifest or, when a part is refused, nothing. Doing it twice changes nothing. */
export async function applyManifest(core: Core, manifest: Manifest): Promise<Applied[]> {
  return core.db.transaction().execute(async (tx) => {
    const deps = { ...core, db: tx }
    const applied: Applied[] = []
    for (const model of manifest.models) applied.push(await applyModel(deps, model))
    for (const app of manifest.apps) applied.push(await applyApp(deps, app))
    for (const bot of manifest.bots) applied.push(await applyBot(deps, bot))
    return applied
  })
}

async function applyModel(core: Core, wanted: ManifestModel): Promise<Applied> {
  const { id, change } = await saveModel(core, wanted)
  return { kind: 'model', id, name: wanted.name, change }
}

async function applyApp(core: Core, { owner, ...wanted }: ManifestApp): Promise<Applied> {
  const who = { userId: await ownerId(core, { thing: `app ${wanted.name}`, owner }) }
  const { id, change } = await saveApp(core, who, wanted)
  return { kind: 'app', id, name: wanted.name, change }
}

async function applyBot(core: Core, wanted: ManifestBot): Promise<Applied> {
  const who = { userId: await ownerId(core, { thing: `bot ${wanted.name}`, owner: wanted.owner }) }
  await assertModel(core, wanted)

  const { id, name, description, iconUrl } = wanted
  const existing = id === undefined ? await findBotByName(core.db, who.userId, name) : await findBot(core.db, id)
  if (existing && existing.ownerId !== who.userId) throw new AppError('conflict', `bot ${existing.id} belongs to another user`)

  const config = { ...wanted.config, tools: sealBotTools(core.secrets, wanted.tools, existing?.draft.tools ?? []) }
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

/** Without an owner it is the only user's, where there is only one. */
async function ownerId(core: Core, { thing, owner }: { thing: string; owner: string | undefined }): Promise<string> {
  if (owner !== undefined) return (await getUserByEmail(core, owner)).id

  const { users, total } = await listUsers(core, { page: 1, size: 2 })
  const [only] = users
  if (!only || total > 1) throw new AppError('invalid_request', `${thing} needs an owner: the e-mail address of one of the ${total} users`)
  return only.id
}

async function assertModel(core: Core, { name, config }: ManifestBot): Promise<void> {
  if (config.model === 'demo' || config.model === 'default' || (await findModelByName(core.db, config.model))) return
  throw new AppError('invalid_request', `bot ${name}: there is no model named ${config.model}`)
}
