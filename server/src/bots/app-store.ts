import type { Selectable } from 'kysely'
import { z } from 'zod'
import { orConflict } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { AppTable } from '../db/tables.ts'

export const appVariablesSchema = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z_]\w{0,99}$/),
      /** The words of canvases. */
      type: z.enum(['string', 'integer', 'float', 'boolean', 'object', 'list']).default('string'),
      default: z.string().max(10_000).default(''),
      description: z.string().max(1_000).default(''),
    }),
  )
  .max(100)
  .default([])

const NAME_RULE = 'must be text of 1 to 255 characters'

/** Names of conversations that belong to the app itself; `Default` is there without being named. */
export const appConversationsSchema = z
  .array(z.string(NAME_RULE).min(1, NAME_RULE).max(255, NAME_RULE))
  .max(100, 'must have at most 100 names')
  .refine((names) => new Set(names).size === names.length, 'must not have a name twice')
  .default([])

export type AppVariable = z.infer<typeof appVariablesSchema>[number]

/** Workflows that belong together and the variables they share; Coze's word for it. The running server is another App. */
export type AppEntry = {
  id: string
  ownerId: string
  name: string
  description: string
  iconUrl: string
  version: string
  variables: AppVariable[]
  conversations: string[]
  createdAt: number
  updatedAt: number
}

export async function findApp(db: Db, appId: string): Promise<AppEntry | undefined> {
  const row = await db.selectFrom('app').selectAll().where('id', '=', appId).executeTakeFirst()
  return row && toApp(row)
}

/** The oldest of that name. */
export async function findAppByName(db: Db, ownerId: string, name: string): Promise<AppEntry | undefined> {
  const row = await db
    .selectFrom('app')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('name', '=', name)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row && toApp(row)
}

export async function listApps(db: Db, ownerId: string, page: { offset: number; limit: number }): Promise<AppEntry[]> {
  const rows = await db
    .selectFrom('app')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
  return rows.map(toApp)
}

export async function countApps(db: Db, ownerId: string): Promise<number> {
  const { total } = await db
    .selectFrom('app')
    .select((eb) => eb.fn.countAll().as('total'))
    .where('owner_id', '=', ownerId)
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** Throws `conflict` when the id is taken. */
export async function insertApp(db: Db, app: AppEntry): Promise<void> {
  const insertion = db
    .insertInto('app')
    .values({ id: app.id, owner_id: app.ownerId, created_at: app.createdAt, ...changeable(app) })
    .execute()
  await orConflict(insertion, `app id ${app.id} is taken`)
}

export async function updateApp(db: Db, app: AppEntry): Promise<void> {
  await db.updateTable('app').set(changeable(app)).where('id', '=', app.id).execute()
}

function changeable({ name, description, iconUrl, version, variables, conversations, updatedAt }: AppEntry) {
  const lists = { variables: JSON.stringify(variables), conversations: JSON.stringify(conversations) }
  return { name, description, icon_url: iconUrl, version, ...lists, updated_at: updatedAt }
}

function toApp(row: Selectable<AppTable>): AppEntry {
  return {
    id: String(row.id),
    ownerId: String(row.owner_id),
    name: row.name,
    description: row.description,
    iconUrl: row.icon_url,
    version: row.version,
    variables: appVariablesSchema.parse(JSON.parse(row.variables)),
    conversations: appConversationsSchema.parse(JSON.parse(row.conversations ?? '[]')),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
