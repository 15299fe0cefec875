import type { Selectable } from 'kysely'
import { upsert } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { ModelTable } from '../db/tables.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { NextId } from '../lib/snowflake.ts'

export type ModelProtocol = ModelTable['protocol']

/** A model as the operator set it up; the built-in `demo` is not stored. The provider's key is not in it: see `openModelKey`. */
export type Model = {
  id: string
  /** What bots call it. */
  name: string
  protocol: ModelProtocol
  /** Empty means the vendor's own. */
  baseUrl: string
  /** What the provider calls it. */
  providerModel: string
  hasApiKey: boolean
  createdAt: number
  /** Grows with every change. */
  updatedAt: number
}

export type ModelSettings = {
  name: string
  /** Given when canvases name the model by number. */
  id?: string
  protocol: ModelProtocol
  baseUrl: string
  /** In clear; stored encrypted. Left out, a stored key stays; empty, there is none. */
  apiKey?: string
  providerModel: string
}

export async function findModelByName(db: Db, name: string): Promise<Model | undefined> {
  const row = await db.selectFrom('model').selectAll().where('name', '=', name).executeTakeFirst()
  return row && toModel(row)
}

export async function findModelById(db: Db, id: string): Promise<Model | undefined> {
  const row = await db.selectFrom('model').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toModel(row)
}

/** By name. */
export async function listModels(db: Db): Promise<Model[]> {
  const rows = await db.selectFrom('model').selectAll().orderBy('name').execute()
  return rows.map(toModel)
}

/** The provider's key in clear, for the one who calls the provider; empty when there is none. Throws for a key of another master key. */
export async function openModelKey({ db, secrets }: { db: Db; secrets: SecretBox }, id: string): Promise<string> {
  const row = await db.selectFrom('model').select('api_key_sealed').where('id', '=', id).executeTakeFirst()
  return row?.api_key_sealed ? secrets.open(row.api_key_sealed) : ''
}

export type SaveModelDeps = { db: Db; secrets: SecretBox; nextId: NextId; clock: Clock }
export type SavedModel = Model & { change: 'created' | 'updated' | 'unchanged' }

/** Makes the model of this name what the settings say; with an id given, it also gets that id. */
export async function saveModel(deps: SaveModelDeps, settings: ModelSettings): Promise<SavedModel> {
  const existing = await deps.db.selectFrom('model').selectAll().where('name', '=', settings.name).executeTakeFirst()
  await assertIdIsFree(deps.db, settings)
  if (!existing) return { ...(await insertModel(deps, settings)), change: 'created' }

  const wanted = { ...columnsOf(settings), id: settings.id ?? String(existing.id) }
  const isNewKey = settings.apiKey !== undefined && settings.apiKey !== openOrForget(deps.secrets, existing.api_key_sealed)
  if (isSame(existing, wanted) && !isNewKey) return { ...toModel(existing), change: 'unchanged' }

  const changes = {
    ...wanted,
    api_key_sealed: isNewKey ? sealKey(deps.secrets, settings.apiKey) : existing.api_key_sealed,
    // two changes within one millisecond are two changes
    updated_at: Math.max(deps.clock(), existing.updated_at + 1),
  }
  await deps.db.updateTable('model').set(changes).where('name', '=', settings.name).execute()
  return { ...toModel({ ...existing, ...changes }), change: 'updated' }
}

/** False when there is none of that name. */
export async function deleteModel(db: Db, name: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('model').where('name', '=', name).executeTakeFirst()
  return numDeletedRows > 0n
}

async function insertModel({ db, secrets, nextId, clock }: SaveModelDeps, settings: ModelSettings): Promise<Model> {
  const now = clock()
  const changes = { ...columnsOf(settings), api_key_sealed: sealKey(secrets, settings.apiKey), updated_at: now }
  const row = { ...changes, id: settings.id ?? nextId(), created_at: now }
  // another process of the same first start may have been quicker: then there is one model all the same
  await upsert(db, 'model', { row, keys: ['name'], changes })
  return toModel(await db.selectFrom('model').selectAll().where('name', '=', settings.name).executeTakeFirstOrThrow())
}

async function assertIdIsFree(db: Db, { id, name }: ModelSettings): Promise<void> {
  const holder = id === undefined ? undefined : await findModelById(db, id)
  if (holder && holder.name !== name) throw new AppError('conflict', `model id ${holder.id} belongs to the model ${holder.name}`)
}

function columnsOf({ name, protocol, baseUrl, providerModel }: ModelSettings) {
  return { name, protocol, base_url: baseUrl, provider_model: providerModel }
}

function isSame(row: Selectable<ModelTable>, wanted: ReturnType<typeof columnsOf> & { id: string }): boolean {
  return (
    String(row.id) === wanted.id &&
    row.protocol === wanted.protocol &&
    row.base_url === wanted.base_url &&
    row.provider_model === wanted.provider_model
  )
}

const sealKey = (secrets: SecretBox, apiKey: string | undefined) => (apiKey ? secrets.seal(apiKey) : '')

/** Undefined for a key of an earlier master key: it is lost, and any key replaces it. */
function openOrForget(secrets: SecretBox, sealed: string): string | undefined {
  try {
    return sealed && secrets.open(sealed)
  } catch {
    return undefined
  }
}

function toModel(row: Selectable<ModelTable>): Model {
  return {
    id: String(row.id),
    name: row.name,
    protocol: row.protocol,
    baseUrl: row.base_url,
    providerModel: row.provider_model,
    hasApiKey: row.api_key_sealed !== '',
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
