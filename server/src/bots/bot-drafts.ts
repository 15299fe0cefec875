import { assertAction } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import type { Db } from '../db/database.ts'
import { findFile } from '../files/file-store.ts'
import { getFile } from '../files/files.ts'
import type { FileLinks } from '../files/signed-file-url.ts'
import { AppError } from '../lib/app-error.ts'
import { findModelById, findModelByName } from '../models/model-store.ts'
import { botConfigSchema } from './bot-config.ts'
import type { Bot, BotConfig } from './bot-config.ts'
import { createBot, editDraft } from './bots.ts'
import type { BotDeps, Draft } from './bots.ts'

export type DraftDeps = BotDeps & { links: FileLinks }

/** What an API caller may set of a draft. What is undefined stays as it is. */
export type DraftChange = {
  name?: string
  description?: string
  /** An uploaded image of the caller. */
  iconFileId?: string
  prompt?: string
  prologue?: string
  suggestedQuestions?: string[]
  suggestReplies?: boolean
  /** A model by its name or its id. */
  model?: string
  parameters: Partial<BotConfig['parameters']>
}

export async function createDraft(deps: DraftDeps, who: Principal, change: DraftChange & { name: string }): Promise<Bot> {
  const empty = { description: '', iconUrl: '', config: botConfigSchema.parse({}) }
  return createBot(deps, who, await changed(deps, who, { before: { ...empty, name: change.name }, change }))
}

export async function changeDraft(deps: DraftDeps, who: Principal, { botId, ...change }: DraftChange & { botId: string }): Promise<Bot> {
  return editDraft(deps, who, {
    botId,
    edit: ({ name, description, iconUrl, draft: config }, tx) =>
      changed({ ...deps, db: tx }, who, { before: { name, description, iconUrl, config }, change }),
  })
}

async function changed(deps: DraftDeps, who: Principal, { before, change }: { before: Draft; change: DraftChange }): Promise<Draft> {
  const { config } = before
  return {
    name: change.name ?? before.name,
    description: change.description ?? before.description,
    iconUrl: change.iconFileId === undefined ? before.iconUrl : await iconUrlOf(deps, who, change.iconFileId),
    config: {
      ...config,
      prompt: change.prompt ?? config.prompt,
      model: change.model === undefined ? config.model : await modelNameOf(deps.db, change.model),
      parameters: changedParameters(config.parameters, change.parameters),
      onboarding: {
        prologue: change.prologue ?? config.onboarding.prologue,
        suggestedQuestions: change.suggestedQuestions ?? config.onboarding.suggestedQuestions,
      },
      suggestReplies: change.suggestReplies ?? config.suggestReplies,
    },
  }
}

type Parameters = BotConfig['parameters']

function changedParameters(before: Parameters, change: Partial<Parameters>): Parameters {
  return {
    temperature: change.temperature ?? before.temperature,
    topP: change.topP ?? before.topP,
    maxTokens: change.maxTokens ?? before.maxTokens,
    presencePenalty: change.presencePenalty ?? before.presencePenalty,
    frequencyPenalty: change.frequencyPenalty ?? before.frequencyPenalty,
    responseFormat: change.responseFormat ?? before.responseFormat,
    historyRounds: change.historyRounds ?? before.historyRounds,
  }
}

/** Everybody who meets the bot sees its icon: its link is for ever, so it must be a picture and not any document. */
async function iconUrlOf({ db, links }: DraftDeps, who: Principal, fileId: string): Promise<string> {
  assertAction(who, 'files')
  const file = await getFile({ db }, who, fileId)
  if (!file.mime.startsWith('image/')) throw new AppError('invalid_request', `icon_file_id: the file is no image, but ${file.mime}`)
  return links.lastingPathOf({ id: file.id, name: 'icon' })
}

const ICON_RULE = 'icon_url: must be an http(s) URL, or the icon_path of an image that you have uploaded'

/** Of a draft as its builder sends it whole. Throws `invalid_request` for what cannot be an icon, and for somebody else's file. */
export async function assertIcon({ db, links }: DraftDeps, who: Principal, iconUrl: string): Promise<void> {
  const [, fileId, signature] = /^\/v1\/files\/(\d{1,19})\/([^/]+)\/icon$/.exec(iconUrl) ?? []
  if (fileId === undefined || signature === undefined) {
    if (iconUrl !== '' && !/^https?:\/\/\S+$/i.test(iconUrl)) throw new AppError('invalid_request', ICON_RULE)
    return
  }
  const file = links.isValid({ fileId, signature }) ? await findFile(db, fileId) : undefined
  if (file?.ownerId !== who.userId || !file.mime.startsWith('image/')) throw new AppError('invalid_request', ICON_RULE)
}

const BUILT_IN = ['demo', 'default']

async function modelNameOf(db: Db, model: string): Promise<string> {
  if (BUILT_IN.includes(model)) return model

  const found = (await findModelByName(db, model)) ?? (/^\d{1,19}$/.test(model) ? await findModelById(db, model) : undefined)
  if (!found)
    throw new AppError('invalid_request', `model_id: there is no model ${model}: give the name or the id of a model of this server`)
  return found.name
}
