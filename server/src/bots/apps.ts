import { mayUseApps } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { countApps, findApp, findAppByName, insertApp, listApps, updateApp } from './app-store.ts'
import type { AppEntry } from './app-store.ts'
import type { BotDeps } from './bots.ts'

export type WantedApp = Pick<AppEntry, 'name' | 'description' | 'iconUrl' | 'version' | 'variables' | 'conversations'> & {
  /** Without one the app is the owner's oldest of that name. */
  id?: string
}
export type SavedApp = AppEntry & { change: 'created' | 'updated' | 'unchanged' }

/** Another user's app does not exist. */
export async function getOwnApp({ db }: { db: Db }, who: Principal, appId: string): Promise<AppEntry> {
  const app = await findApp(db, appId)
  if (app?.ownerId !== who.userId || !mayUseApps(who)) throw new AppError('not_found', 'app not found')
  return app
}

/** Newest first; pages count from 1. */
export async function listOwnApps(
  { db }: { db: Db },
  who: Principal,
  { page, size }: { page: number; size: number },
): Promise<{ apps: AppEntry[]; total: number }> {
  if (!mayUseApps(who)) return { apps: [], total: 0 }
  const [apps, total] = await Promise.all([listApps(db, who.userId, { offset: (page - 1) * size, limit: size }), countApps(db, who.userId)])
  return { apps, total }
}

/** Makes the app what it should be. Throws `conflict` for an id that belongs to another user. */
export async function saveApp(deps: BotDeps, who: Principal, { id, ...wanted }: WantedApp): Promise<SavedApp> {
  const existing = id === undefined ? await findAppByName(deps.db, who.userId, wanted.name) : await findApp(deps.db, id)
  if (existing && existing.ownerId !== who.userId) throw new AppError('conflict', `app ${existing.id} belongs to another user`)

  const now = deps.clock()
  if (!existing) {
    const app = { id: id ?? deps.nextId(), ownerId: who.userId, ...wanted, createdAt: now, updatedAt: now }
    await insertApp(deps.db, app)
    return { ...app, change: 'created' }
  }
  if (fingerprint(existing) === fingerprint(wanted)) return { ...existing, change: 'unchanged' }

  const app = { ...existing, ...wanted, updatedAt: now }
  await updateApp(deps.db, app)
  return { ...app, change: 'updated' }
}

const fingerprint = ({ name, description, iconUrl, version, variables, conversations }: Omit<WantedApp, 'id'>): string =>
  JSON.stringify([name, description, iconUrl, version, variables, conversations])
