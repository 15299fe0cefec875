import { z } from 'zod'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import { checkNewPassword, hashPassword } from './password-hash.ts'
import { randomText } from './random-text.ts'
import {
  countUsers,
  deleteSessionsOf,
  findUser,
  findUserByEmail,
  insertUser,
  listUserRows,
  updatePassword,
  updateUser,
} from './user-store.ts'
import type { Principal } from './principal.ts'
import type { User, UserChange, UserRole } from './user-store.ts'

export type UserDeps = { db: Db; clock: Clock }

export type NewUserRequest = {
  email: string
  password: string
  /** The part of the address before the @ when absent. */
  name?: string
  role?: UserRole
}

/** Throws `conflict` when the address is taken, `invalid_request` when address or password cannot be used. */
export function createUser(deps: UserDeps, request: NewUserRequest): Promise<User> {
  return makeUser(deps, request)
}

async function makeUser({ db, clock }: UserDeps, request: NewUserRequest & { isFirst?: boolean }): Promise<User> {
  const email = parseEmail(request.email)
  checkNewPassword(request.password)
  const name = (request.name?.trim() || email.replace(/@.*$/, '')).slice(0, NAME_LENGTH)

  const passwordHash = await hashPassword(request.password)
  return insertUser(db, { email, name, role: request.role ?? 'user', isFirst: request.isFirst, passwordHash, createdAt: clock() })
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
  { page, size, search }: { page: number; size: number; search?: string },
): Promise<{ users: User[]; hasMore: boolean; total: number }> {
  const offset = (page - 1) * size
  const [users, total] = await Promise.all([listUserRows(db, { search, offset, limit: size }), countUsers(db, search)])
  return { users, hasMore: offset + users.length < total, total }
}

export type AdministeringDeps = UserDeps & {
  /** Told of a user who is disabled or not any more: keys that are remembered in this process must not outlive it. */
  forgetUser: (userId: string) => void
}

/**
 * What is undefined stays as it is. A user who is disabled is signed out, and their keys open nothing. Nobody takes the role or the
 * access from their own account, so an administrator always remains.
 */
export async function changeUser(
  { db, clock, forgetUser }: AdministeringDeps,
  who: Principal,
  { userId, ...change }: UserChange & { userId: string },
): Promise<User> {
  const user = await getUser({ db }, userId)
  const isOwn = user.id === who.userId
  if (isOwn && change.isDisabled)
    throw new AppError('invalid_request', 'is_disabled: this is your own account: another administrator can disable it')
  if (isOwn && change.role !== undefined && change.role !== user.role)
    throw new AppError('invalid_request', 'role: this is your own account: another administrator can change its role')

  await updateUser(db, userId, { ...change, now: clock() })
  if (change.isDisabled) await deleteSessionsOf(db, userId)
  forgetUser(userId)
  return getUser({ db }, userId)
}

/** The user is signed out everywhere and signs in with the new password. */
export async function resetPassword({ db, clock }: UserDeps, { userId, password }: { userId: string; password: string }): Promise<void> {
  checkNewPassword(password)
  const user = await getUser({ db }, userId)
  if (!(await updatePassword(db, user.id, { passwordHash: await hashPassword(password), now: clock() })))
    throw new AppError('invalid_request', 'the user does not sign in with a password')
  await deleteSessionsOf(db, user.id)
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
    const user = await makeUser(deps, { email: request.email, password, role: 'admin', isFirst: true })
    return { user, generatedPassword }
  } catch (cause) {
    // another node of the same first start was quicker: its password counts
    if (cause instanceof AppError && cause.code === 'conflict') return undefined
    throw cause
  }
}

/** For an installation without users. Throws `conflict` when there is one. */
export async function createFirstAdmin(deps: UserDeps, request: Omit<NewUserRequest, 'role'>): Promise<User> {
  const taken = (cause?: unknown) => new AppError('conflict', 'there is an administrator already: sign in', { cause })
  if ((await countUsers(deps.db)) > 0) throw taken()
  // of two at once, one finds the place taken
  return makeUser(deps, { ...request, role: 'admin', isFirst: true }).catch((cause: unknown) => {
    throw cause instanceof AppError && cause.code === 'conflict' ? taken(cause) : cause
  })
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
