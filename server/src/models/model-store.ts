import type { Selectable } from 'kysely'
import type { Db } from '../db/database.ts'
import type { ModelTable } from '../db/tables.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { NextId } from '../lib/snowflake.ts'

export type ModelProtocol = 'openai' | 'anthropic' | 'google' | 'demo'

/** A model as the operator set it up; its key stays sealed until an adapter is made. */
export type StoredModel = {
  id: string
  name: string
  protocol: ModelProtocol
  baseUrl: string
  sealedKey: string
  providerModel: string
  createdAt: number
  updatedAt: number
}

export type ModelStoreDeps = { db: Db; secrets: SecretBox; clock: Clock; nextId: NextId }

/** `apiKey` in clear: it is sealed before it is stored. */
export type ModelRequest = { id?: string; name: string; protocol: ModelProtocol; baseUrl: string; apiKey: string; providerModel: string }

export type SavedModel = { id: string; change: 'created' | 'updated' | 'unchanged' }

/** The model of that name becomes what is asked for; with an id given, it also gets that id. */
export async function saveModel({ db, secrets, clock, nextId }: ModelStoreDeps, wanted: ModelRequest): Promise<SavedModel> {
  const known = await findModelByName(db, wanted.name)
  const fields = { protocol: wanted.protocol, base_url: wanted.baseUrl, api_key_sealed: secrets.seal(wanted.apiKey), provider_model: wanted.providerModel }
  const now = clock()
  if (!known) {
    const id = wanted.id ?? nextId()
    await db
      .insertInto('model')
      .values({ id, name: wanted.name, ...fields, created_at: now, updated_at: now })
      .execute()
    return { id, change: 'created' }
  }

  const id = wanted.id ?? known.id
  if (isSame(known, wanted, secrets)) return { id, change: 'unchanged' }
  await db
    .updateTable('model')
    .set({ id, ...fields, updated_at: now })
    .where('id', '=', known.id)
    .execute()
  return { id, change: 'updated' }
}

export async function findModelByName(db: Db, name: string): Promise<StoredModel | undefined> {
  const row = await db.selectFrom('model').selectAll().where('name', '=', name).executeTakeFirst()
  return row && toModel(row)
}

export async function findModelById(db: Db, modelId: string): Promise<StoredModel | undefined> {
  const row = await db.selectFrom('model').selectAll().where('id', '=', modelId).executeTakeFirst()
  return row && toModel(row)
}

export async function listModels(db: Db): Promise<StoredModel[]> {
  const rows = await db.selectFrom('model').selectAll().orderBy('name').execute()
  return rows.map(toModel)
}

/** False when there is none of that name. */
export async function deleteModel(db: Db, name: string): Promise<boolean> {
  const result = await db.deleteFrom('model').where('name', '=', name).executeTakeFirst()
  return result.numDeletedRows > 0n
}

function isSame(known: StoredModel, wanted: ModelRequest, secrets: SecretBox): boolean {
  return (
    (wanted.id === undefined || wanted.id === known.id) &&
    known.protocol === wanted.protocol &&
    known.baseUrl === wanted.baseUrl &&
    known.providerModel === wanted.providerModel &&
    opensTo(known.sealedKey, wanted.apiKey, secrets)
  )
}

/** A key sealed under an earlier master key cannot be opened: then it is written again. */
function opensTo(sealed: string, text: string, secrets: SecretBox): boolean {
  try {
    return secrets.open(sealed) === text
  } catch {
    return false
  }
}

function toModel(row: Selectable<ModelTable>): StoredModel {
  return {
    id: String(row.id),
    name: row.name,
    protocol: row.protocol,
    baseUrl: row.base_url,
    sealedKey: row.api_key_sealed,
    providerModel: row.provider_model,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
