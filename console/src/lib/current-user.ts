import { createContext, use } from 'react'
import type { ConsoleUserWire } from '../../../server/src/http/console/session-wire.ts'

export type CurrentUser = ConsoleUserWire

const Context = createContext<CurrentUser | undefined>(undefined)
export const CurrentUserProvider = Context.Provider

/** Who is signed in. Only below the signed-in part of the console, which is everything but the pages to get in. */
export function useCurrentUser(): CurrentUser {
  const user = use(Context)
  if (!user) throw new Error('nobody is signed in here')
  return user
}
