import { z } from 'zod'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import { checkNewPassword, hashPassword } from './password-hash.ts'
import { randomText } from './random-text.ts'
import { countUsers, findUser, findUserByEmail, insertUser, listUserRows } from './user-store.ts'
import type { User, UserRole } from './user-store.ts'

export type UserDeps = { db: Db; clock: Clock }

export type NewUserRequest = {
  email: string
  password: string
  /** The part of the address before the @ when absent. */
  name?: string
  role?: UserRole
}

/** Throws `conflict` when the address is taken, `invalid_request` when address or password cannot be used. */
export async function createUser({ db, clock }: UserDeps, request: NewUserRequest): Promise<User> {
  const email = parseEmail(request.email)
  checkNewPassword(request.password)
  const name = (request.name?.trim() || email.replace(/@.*$/, '')).slice(0, NAME_LENGTH)

  const passwordHash = await hashPassword(request.password)
  return insertUser(db, { email, name, role: request.role ?? 'user', passwordHash, createdAt: clock() })
}

/** Throws `not_found`. */
export async function getUser({ db }: Pick<UserDeps, 'db'>, userId: string): Promise<User> {
  const user = await findUser(db, userId)
  if (!user) throw new AppError('not_found', 'user not found')
  return user
}

/** Throws `not_found`. */
export async function getUserByEmail({ db }: Pick<UserDeps, 'db'>, email: string): Promise<User> {
  const user = await findUserByEmail(db, email.trim().toLowerCase())
  if (!user) throw new AppError('not_found', `there is no user ${email}`)
  return user
}

/** In the order they came; pages count from 1. */
export async function listUsers(
  { db }: Pick<UserDeps, 'db'>,
  { page, size }: { page: number; size: number },
): Promise<{ users: User[]; hasMore: boolean; total: number }> {
  const offset = (page - 1) * size
  const [users, total] = await Promise.all([listUserRows(db, { offset, limit: size }), countUsers(db)])
  return { users, hasMore: offset + users.length < total, total }
}

/**
 * For the first start: makes an administrator when there is no user at all, else answers undefined.
 * `generatedPassword` is set when none was given; it is to be shown once.
 */
export async function ensureAdmin(
  deps: UserDeps,
  request: { email: string; password?: string },
): Promise<{ user: User; generatedPassword?: string } | undefined> {
  if ((await countUsers(deps.db)) > 0) return undefined

  const generatedPassword = request.password === undefined ? createReadablePassword() : undefined
  const password = request.password ?? generatedPassword ?? ''
  try {
    const user = await createUser(deps, { email: request.email, password, role: 'admin' })
    return { user, generatedPassword }
  } catch (cause) {
    // another node of the same first start was quicker: its password counts
    if (cause instanceof AppError && cause.code === 'conflict') return undefined
    throw cause
  }
}

const NAME_LENGTH = 255
// without characters that look alike; 20 of them are 98 bits
const READABLE = 'abcdefghijkmnpqrstuvwxyz23456789'.replace(/[il]/g, '')

function createReadablePassword(): string {
  return Array.from({ length: 4 }, () => randomText(READABLE, 5)).join('-')
}

function parseEmail(text: string): string {
  const email = z.email().max(255).safeParse(text.trim().toLowerCase())
  if (!email.success) throw new AppError('invalid_request', 'email: must be an e-mail address')
  return email.data
}
