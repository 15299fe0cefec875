import type { Selectable } from 'kysely'
import { fromAuthTime, toAuthTime } from '../db/auth-time.ts'
import { orConflict } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { containing, likeText } from '../db/search-text.ts'
import type { UserTable } from '../db/account-tables.ts'

export type UserRole = 'admin' | 'user'
export type User = {
  id: string
  email: string
  name: string
  role: UserRole
  /** Cannot sign in, and their keys open nothing. */
  isDisabled: boolean
  createdAt: number
}
export type NewUser = Pick<User, 'email' | 'name' | 'role' | 'createdAt'> & {
  passwordHash: string
  /** Of an installation without users: of several that are made at once only one is. */
  isFirst?: boolean
}

const FIRST_ID = '1'

/** Writes the rows better-auth would write for a user with a password. Throws `conflict` when the e-mail address is taken, or the first place. */
export async function insertUser(db: Db, { passwordHash, isFirst = false, ...user }: NewUser): Promise<User> {
  const times = { created_at: toAuthTime(db, user.createdAt), updated_at: toAuthTime(db, user.createdAt) }
  const insertion = db.transaction().execute(async (tx) => {
    const { insertId } = await tx
      .insertInto('user')
      .values({ ...(isFirst && { id: FIRST_ID }), email: user.email, name: user.name, role: user.role, email_verified: 0, ...times })
      .executeTakeFirstOrThrow()
    const id = isFirst ? FIRST_ID : String(insertId)
    await tx
      .insertInto('user_account')
      .values({ user_id: id, account_id: id, provider_id: 'credential', password: passwordHash, ...times })
      .execute()
    return { id, ...user, isDisabled: false }
  })
  return orConflict(insertion, `there is a user ${user.email} already`)
}

export async function findUser(db: Db, userId: string): Promise<User | undefined> {
  const row = await db.selectFrom('user').selectAll().where('id', '=', userId).executeTakeFirst()
  return row && toUser(row)
}

/** The address is given in lower case. */
export async function findUserByEmail(db: Db, email: string): Promise<User | undefined> {
  const row = await db.selectFrom('user').selectAll().where('email', '=', email).executeTakeFirst()
  return row && toUser(row)
}

/** By id; whoever does not exist is left out. */
export async function listEmails(db: Db, userIds: string[]): Promise<Map<string, string>> {
  if (userIds.length === 0) return new Map()
  const rows = await db.selectFrom('user').select(['id', 'email']).where('id', 'in', userIds).execute()
  return new Map(rows.map(({ id, email }) => [String(id), email]))
}

/** In the order they came; `search` is a part of a name or address. */
export async function listUserRows(db: Db, page: { search?: string; offset: number; limit: number }): Promise<User[]> {
  const rows = await matching(db, page.search).selectAll().orderBy('id').offset(page.offset).limit(page.limit).execute()
  return rows.map(toUser)
}

export async function countUsers(db: Db, search?: string): Promise<number> {
  const { total } = await matching(db, search)
    .select((eb) => eb.fn.countAll().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

function matching(db: Db, search: string | undefined) {
  const users = db.selectFrom('user')
  if (!search) return users
  const pattern = containing(search)
  return users.where((where) => where.or([likeText(where.ref('name'), pattern), likeText(where.ref('email'), pattern)]))
}

export type UserChange = { name?: string; role?: UserRole; isDisabled?: boolean }

/** What is undefined stays as it is. */
export async function updateUser(db: Db, userId: string, { isDisabled, now, ...change }: UserChange & { now: number }): Promise<void> {
  const disabledAt = isDisabled === undefined ? undefined : isDisabled ? now : 0
  await db
    .updateTable('user')
    .set({ ...change, disabled_at: disabledAt, updated_at: toAuthTime(db, now) })
    .where('id', '=', userId)
    .execute()
}

/** False for a user who signs in in another way. */
export async function updatePassword(
  db: Db,
  userId: string,
  { passwordHash, now }: { passwordHash: string; now: number },
): Promise<boolean> {
  const result = await db
    .updateTable('user_account')
    .set({ password: passwordHash, updated_at: toAuthTime(db, now) })
    .where('user_id', '=', userId)
    .where('provider_id', '=', 'credential')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** The user has to sign in again, everywhere. */
export async function deleteSessionsOf(db: Db, userId: string): Promise<void> {
  await db.deleteFrom('user_session').where('user_id', '=', userId).execute()
}

/** Sessions nobody came back to; the others end when they are used. */
export async function deleteExpiredSessions(db: Db, now: number): Promise<void> {
  await db.deleteFrom('user_session').where('expires_at', '<', toAuthTime(db, now)).execute()
}

function toUser(row: Selectable<UserTable>): User {
  return {
    id: String(row.id),
    email: row.email,
    name: row.name,
    role: toUserRole(row.role),
    isDisabled: row.disabled_at > 0,
    createdAt: fromAuthTime(row.created_at),
  }
}

/** An unknown role is the one that may do less. */
export const toUserRole = (text: unknown): UserRole => (text === 'admin' ? 'admin' : 'user')
