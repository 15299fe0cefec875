import type { Principal } from '../../accounts/principal.ts'
import { AppError } from '../../lib/app-error.ts'
import type { UserTableDeps } from './owner-tables.ts'
import { hasRows } from './user-row-store.ts'
import { findUserTable, findUserTableByName, insertUserTable, updateUserTable } from './user-table-store.ts'
import { reservedFieldIds } from './user-table.ts'
import type { UserField, UserTable } from './user-table.ts'

/** Without an id the table is the owner's oldest of that name, and a field the table's of its name. */
export type WantedUserTable = { id?: string; name: string; description: string; fields: WantedUserField[] }
export type WantedUserField = Omit<UserField, 'id'> & { id?: string }
export type SavedUserTable = UserTable & { change: 'created' | 'updated' | 'unchanged' }

/**
 * Makes the table what it should be; its rows get their place when they are first used, so that this can be part of a transaction.
 * Throws `conflict` for an id that belongs to another user, and when there are rows that a change of the fields would lose.
 */
export async function saveUserTable(deps: UserTableDeps, who: Principal, wanted: WantedUserTable): Promise<SavedUserTable> {
  const { id, name, description } = wanted
  const existing = id === undefined ? await findUserTableByName(deps.db, who.userId, name) : await findUserTable(deps.db, id)
  if (existing && existing.ownerId !== who.userId) throw new AppError('conflict', `database ${existing.id} belongs to another user`)

  const now = deps.clock()
  const fields = numberFields(wanted, existing?.fields ?? [])
  if (!existing) {
    const table = { id: id ?? deps.nextId(), ownerId: who.userId, name, description, fields, revision: 1, createdAt: now, updatedAt: now }
    await insertUserTable(deps.db, table)
    return { ...table, change: 'created' }
  }
  if (fingerprint(existing) === fingerprint({ name, description, fields })) return { ...existing, change: 'unchanged' }

  const table = { ...existing, name, description, fields, revision: await nextRevision(deps, existing, fields), updatedAt: now }
  await updateUserTable(deps.db, table)
  return { ...table, change: 'updated' }
}

const fingerprint = ({ name, description, fields }: Pick<UserTable, 'name' | 'description' | 'fields'>): string =>
  JSON.stringify([name, description, fields.map((field) => [field.id, field.name, field.type, field.required, field.description])])

/** New fields get the lowest numbers that are free. Throws `invalid_request` when two have one id. */
function numberFields({ name: table, fields }: WantedUserTable, existing: UserField[]): UserField[] {
  const given = fields.map(({ id, name }) => id ?? existing.find((field) => field.name === name)?.id)
  const taken = new Set([...given, ...existing.map(({ id }) => id), ...reservedFieldIds])
  let last = 0n
  const nextFreeId = (): string => {
    do last++
    while (taken.has(String(last)))
    return String(last)
  }

  const numbered = fields.map(({ name, type, required, description }, at) => ({
    id: given[at] ?? nextFreeId(),
    name,
    type,
    required,
    description,
  }))
  const repeated = numbered.find(({ id }, at) => numbered.findIndex((field) => field.id === id) !== at)
  if (repeated)
    throw new AppError(
      'invalid_request',
      `database ${table}: the id ${repeated.id} of the field ${repeated.name} is taken by another field`,
    )
  return numbered
}

/**
 * The same as long as the rows can stay where they are. A table without rows starts anew with other fields.
 * @NOTE a workflow that writes a row at this very moment, with the fields of before, writes it to the place that is given up.
 */
async function nextRevision({ db }: UserTableDeps, table: UserTable, fields: UserField[]): Promise<number> {
  const lost = table.fields.find(({ id, type }) => !fields.some((field) => field.id === id && field.type === type))
  if (!lost) return table.revision

  if (!(await hasRows(db, table))) return table.revision + 1
  const isKept = fields.some(({ id }) => id === lost.id)
  const what = isKept
    ? `the type of the field ${lost.name} (id ${lost.id}) cannot change`
    : `the field ${lost.name} (id ${lost.id}) cannot be removed`
  const hint = isKept ? 'add a field of another name' : `keep it, or give the field that it becomes the id ${lost.id}`
  throw new AppError('conflict', `database ${table.name}: ${what} while the table has rows. Delete them first, or ${hint}`)
}
