import { AppError } from '../lib/app-error.ts'
import type { Action, KeyAccess } from './key-policy.ts'
import type { UserRole } from './user-store.ts'

/** Who calls. Every use case takes one; it reaches only what its user owns, and of that what its key may. */
export type Principal = {
  userId: string
  /** Set when the call came with an API key. */
  keyId?: string
  /** What limits the key; absent for one without limits. */
  access?: KeyAccess
  /** Set when the call came with a session of the console. */
  role?: UserRole
}

/** What the answer is no about does not exist for the caller. */
export const mayUseBot = ({ access }: Principal, botId: string): boolean => access?.botIds?.has(botId) ?? true

export const mayUseWorkflow = ({ access }: Principal, workflowId: string): boolean => access?.workflowIds?.has(workflowId) ?? true

/** Apps hold workflows: a key that is limited to some of these does not see the whole of any app. */
export const mayUseApps = ({ access }: Principal): boolean => access?.workflowIds === undefined

export const hasAction = ({ access }: Principal, action: Action): boolean => access?.actions?.has(action) ?? true

/** Throws `forbidden`, which names the action and what the key has in its place. With several one of them is enough. */
export function assertAction(who: Principal, wanted: Action | readonly Action[]): void {
  const actions = typeof wanted === 'string' ? [wanted] : wanted
  if (actions.some((action) => hasAction(who, action))) return
  const own = [...(who.access?.actions ?? [])].join(', ') || 'none'
  const holder = who.access?.token ? 'token' : 'api key'
  throw new AppError(
    'forbidden',
    `this ${holder} may not do this: it needs the action ${actions.join(' or ')}, and its actions are: ${own}`,
  )
}

/** The end user of a call. A token is its end user's own: whoever names another with it is refused. */
export function endUserFor<T extends string | undefined>({ access }: Principal, given: T): T | string {
  if (!access?.token) return given
  const { endUser } = access.token
  if (given !== undefined && given !== '' && given !== endUser)
    throw new AppError('forbidden', 'user_id: this token is for another end user')
  return endUser
}

/** The bot of a call that names none: of who may use only one, it is that. */
export function onlyBotOf({ access }: Principal): string | undefined {
  const [botId, ...others] = access?.botIds ?? []
  return others.length === 0 ? botId : undefined
}

/** The owner without the limits of the key: for what a permitted bot or workflow stands on itself. */
export const asOwner = ({ userId, keyId }: Principal): Principal => ({ userId, keyId })
