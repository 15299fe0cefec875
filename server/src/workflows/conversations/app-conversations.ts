import type { Principal } from '../../accounts/principal.ts'
import type { AppEntry } from '../../bots/app-store.ts'
import { getOwnApp } from '../../bots/apps.ts'
import { conversationInsert, deleteConversationRow, updateConversation } from '../../conversations/conversation-store.ts'
import type { Conversation } from '../../conversations/conversation-store.ts'
import { draftConversation, getConversation } from '../../conversations/conversations.ts'
import type { ConversationDeps } from '../../conversations/conversations.ts'
import { isDuplicate } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import {
  deleteAppConversationName,
  findAppConversation,
  findAppConversationById,
  insertAppConversation,
  listAppConversations,
  putAppConversation,
  updateAppConversationName,
} from './app-conversation-store.ts'
import type { AppConversation, ConversationName } from './app-conversation-store.ts'

/** The conversation that every app has, and the only one that a bot knows by name. */
export const DEFAULT_CONVERSATION = 'Default'

/** Whether the app itself declares the name: such conversations are made when they are first used, and workflows cannot rename or delete them. */
export const isDeclaredConversation = (app: Pick<AppEntry, 'conversations'>, name: string): boolean =>
  name === DEFAULT_CONVERSATION || app.conversations.includes(name)

/** Undefined also for a declared one that nobody has used yet. */
export async function findOwnAppConversation(
  deps: Pick<ConversationDeps, 'db'>,
  who: Principal,
  wanted: ConversationName,
): Promise<AppConversation | undefined> {
  await getOwnApp(deps, who, wanted.appId)
  return findLive(deps, wanted)
}

/** The name a conversation has in the app. End users are kept apart: another one's conversation is not found. */
export async function findOwnAppConversationById(
  deps: Pick<ConversationDeps, 'db'>,
  who: Principal,
  { appId, endUser, conversationId }: Omit<AppConversation, 'name'>,
): Promise<AppConversation | undefined> {
  await getOwnApp(deps, who, appId)
  const found = await findAppConversationById(deps.db, conversationId)
  if (!found || found.isDeleted || found.appId !== appId) return undefined

  const isAnothers = endUser !== '' && found.endUser !== '' && found.endUser !== endUser
  return isAnothers ? undefined : toAddress(found)
}

/** One name has one conversation, however many ask for it at once. Throws `invalid_request` for what cannot be a name. */
export async function getOrCreateAppConversation(
  deps: ConversationDeps,
  who: Principal,
  wanted: ConversationName,
): Promise<{ conversationId: string; isExisted: boolean }> {
  assertName(wanted.name)
  await getOwnApp(deps, who, wanted.appId)
  const known = await findAppConversation(deps.db, wanted)
  if (known && !known.isDeleted) return { conversationId: known.conversationId, isExisted: true }

  if (known) await deleteAppConversationName(deps.db, known.conversationId)
  try {
    return { conversationId: await storeNamed(deps, who, { wanted, put: insertAppConversation }), isExisted: false }
  } catch (cause) {
    // of several at once one is first, and its conversation is everybody's
    const first = await findLive(deps, wanted)
    if (!first) throw cause
    return { conversationId: first.conversationId, isExisted: true }
  }
}

/** A new conversation under the name. The one before stays, and has no name in the app any more. */
export async function renewAppConversation(deps: ConversationDeps, who: Principal, wanted: ConversationName): Promise<AppConversation> {
  assertName(wanted.name)
  await getOwnApp(deps, who, wanted.appId)
  return { ...wanted, conversationId: await storeNamed(deps, who, { wanted, put: putAppConversation }) }
}

/**
 * For callers of the API: the conversation of a name that the app knows, declared or given by a workflow; without
 * `getOrCreate` a new one in its place. Throws `conversation_unknown` for any other name.
 */
export async function openKnownConversation(
  deps: ConversationDeps,
  who: Principal,
  { getOrCreate, ...wanted }: ConversationName & { getOrCreate: boolean },
): Promise<Conversation> {
  const app = await getOwnApp(deps, who, wanted.appId)
  if (!isDeclaredConversation(app, wanted.name) && !(await findLive(deps, wanted)))
    throw new AppError(
      'conversation_unknown',
      `the app has no conversation named ${JSON.stringify(wanted.name.slice(0, 100))}: declare it in the app, or let a workflow create it`,
    )

  const { conversationId } = await (getOrCreate ? getOrCreateAppConversation : renewAppConversation)(deps, who, wanted)
  return getConversation(deps, who, conversationId)
}

/** `declared`: only the app's own declaration can change it. */
export type NameChange<Done extends string> = { kind: Done; conversationId: string } | { kind: 'unknown' | 'declared' }
/** The id is that of the conversation which has the name; undefined for a declared one that nobody has used yet. */
export type NameTaken = { kind: 'taken'; conversationId: string | undefined }

export async function renameAppConversation(
  deps: ConversationDeps,
  who: Principal,
  { newName, ...wanted }: ConversationName & { newName: string },
): Promise<NameChange<'renamed'> | NameTaken> {
  const app = await getOwnApp(deps, who, wanted.appId)
  if (isDeclaredConversation(app, wanted.name)) return { kind: 'declared' }
  const found = await findLive(deps, wanted)
  if (!found) return { kind: 'unknown' }

  assertName(newName)
  const renamed = { ...found, name: newName }
  const holder = await findAppConversation(deps.db, renamed)
  if (holder && !holder.isDeleted) return { kind: 'taken', conversationId: holder.conversationId }
  if (isDeclaredConversation(app, newName)) return { kind: 'taken', conversationId: undefined }

  if (holder) await deleteAppConversationName(deps.db, holder.conversationId)
  return storeName(deps, renamed)
}

async function storeName(deps: ConversationDeps, renamed: AppConversation): Promise<NameChange<'renamed'> | NameTaken> {
  const { conversationId, name } = renamed
  const now = deps.clock()
  try {
    return await deps.db.transaction().execute(async (tx) => {
      if (!(await updateAppConversationName(tx, renamed, now))) return { kind: 'unknown' }
      await updateConversation(tx, conversationId, { name, updatedAt: now })
      return { kind: 'renamed', conversationId }
    })
  } catch (cause) {
    if (!isDuplicate(cause)) throw cause
    return { kind: 'taken', conversationId: (await findLive(deps, renamed))?.conversationId }
  }
}

/** Its messages go with it. */
export async function deleteAppConversation(
  deps: ConversationDeps,
  who: Principal,
  wanted: ConversationName,
): Promise<NameChange<'deleted'>> {
  const app = await getOwnApp(deps, who, wanted.appId)
  if (isDeclaredConversation(app, wanted.name)) return { kind: 'declared' }
  const found = await findLive(deps, wanted)
  if (!found) return { kind: 'unknown' }

  await deps.db.transaction().execute(async (tx) => {
    await deleteAppConversationName(tx, found.conversationId)
    await deleteConversationRow(tx, found.conversationId, deps.clock())
  })
  return { kind: 'deleted', conversationId: found.conversationId }
}

const MAX_LISTED = 1_000

/** What is there: the declared ones that somebody has used, in the app's order, then the others, oldest first. */
export async function listOwnAppConversations(
  deps: Pick<ConversationDeps, 'db'>,
  who: Principal,
  { appId, endUser }: Omit<ConversationName, 'name'>,
): Promise<AppConversation[]> {
  const app = await getOwnApp(deps, who, appId)
  const used = await listAppConversations(deps.db, { appId, endUser, limit: MAX_LISTED })

  const declared = [DEFAULT_CONVERSATION, ...app.conversations]
  const placeOf = ({ name }: AppConversation) => (declared.includes(name) ? declared.indexOf(name) : declared.length)
  return used.map(toAddress).sort((one, other) => placeOf(one) - placeOf(other))
}

async function findLive({ db }: Pick<ConversationDeps, 'db'>, wanted: ConversationName): Promise<AppConversation | undefined> {
  const found = await findAppConversation(db, wanted)
  return found && !found.isDeleted ? toAddress(found) : undefined
}

const toAddress = ({ appId, endUser, name, conversationId }: AppConversation): AppConversation => ({ appId, endUser, name, conversationId })

type Naming = { wanted: ConversationName; put: typeof insertAppConversation }

async function storeNamed(deps: ConversationDeps, who: Principal, { wanted, put }: Naming): Promise<string> {
  const { name, endUser } = wanted
  const conversation = draftConversation(deps, who, { name, endUser })
  await deps.db.transaction().execute(async (tx) => {
    // the name first: of several at once all but one stop here
    await put(tx, { ...wanted, conversationId: conversation.id }, conversation.createdAt)
    await tx.insertInto('conversation').values(conversationInsert(conversation)).execute()
  })
  return conversation.id
}

const MAX_NAME = 255

function assertName(name: string): void {
  if (name === '') throw new AppError('invalid_request', 'the name of a conversation must not be empty')
  if (name.length > MAX_NAME)
    throw new AppError('invalid_request', `the name of a conversation must have at most ${MAX_NAME} characters, not ${name.length}`)
}
