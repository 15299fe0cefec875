import { inTransaction, upsert } from '../db/database.ts'
import type { Db } from '../db/database.ts'

/** Whose variables: a bot's or an app's, for one end user of its owner. */
export type VariableScope = { ownerId: string; holder: 'bot' | 'app'; holderId: string; endUser: string }
export type StoredVariable = { name: string; value: string; createdAt: number; updatedAt: number }

/** What a bot's prompt is filled with for this end user, where the request itself gives no value. */
export async function findEndUserVariables(
  db: Db,
  { ownerId, botId, endUser }: { ownerId: string; botId: string; endUser: string },
): Promise<Record<string, string>> {
  // nobody in particular has no values
  if (endUser === '') return {}
  const stored = await listEndUserVariables(db, { ownerId, holder: 'bot', holderId: botId, endUser })
  return Object.fromEntries(stored.map(({ name, value }) => [name, value]))
}

export async function listEndUserVariables(db: Db, { ownerId, holder, holderId, endUser }: VariableScope): Promise<StoredVariable[]> {
  const rows = await db
    .selectFrom('end_user_variable')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('holder', '=', holder)
    .where('holder_id', '=', holderId)
    .where('end_user', '=', endUser)
    .orderBy('name')
    .execute()

  // @NOTE MySQL takes "ada" and "ada " for the same
  const exact = rows.filter((row) => row.end_user === endUser)
  return exact.map((row) => ({ name: row.name, value: row.value, createdAt: row.created_at, updatedAt: row.updated_at }))
}

/** All or none; a value that is there is replaced and keeps the time of the first. */
export async function saveEndUserVariables(
  db: Db,
  { ownerId, holder, holderId, endUser }: VariableScope,
  { values, now }: { values: Map<string, string>; now: number },
): Promise<void> {
  const scope = { owner_id: ownerId, holder, holder_id: holderId, end_user: endUser }
  await inTransaction(db, async (tx) => {
    for (const [name, value] of values) {
      const changes = { value, updated_at: now }
      const row = { ...scope, name, created_at: now, ...changes }
      await upsert(tx, 'end_user_variable', { row, keys: ['owner_id', 'holder', 'holder_id', 'end_user', 'name'], changes })
    }
  })
}

/** Of all end users. */
export async function deleteVariablesOf(db: Db, { ownerId, holder, holderId }: Omit<VariableScope, 'endUser'>): Promise<void> {
  await db
    .deleteFrom('end_user_variable')
    .where('owner_id', '=', ownerId)
    .where('holder', '=', holder)
    .where('holder_id', '=', holderId)
    .execute()
}
