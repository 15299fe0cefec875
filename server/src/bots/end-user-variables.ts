import { endUserFor } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { AppVariable } from './app-store.ts'
import { getOwnApp } from './apps.ts'
import { findPublishedBot } from './bot-store.ts'
import { getOwnBot } from './bots.ts'
import { listEndUserVariables, saveEndUserVariables } from './end-user-variable-store.ts'
import type { StoredVariable, VariableScope } from './end-user-variable-store.ts'

/** Variables are declared by a bot or by an app; each end user of the caller has values of its own for them. */
export type VariableHolder = Pick<VariableScope, 'holder' | 'holderId' | 'endUser'>

/** Declared variables with their values, in the order of the declaration; a default has no times. No names: all of them. */
export async function readVariables(
  { db }: { db: Db },
  who: Principal,
  { names, ...holder }: VariableHolder & { names: string[] },
): Promise<StoredVariable[]> {
  endUserFor(who, holder.endUser)
  const declared = await findDeclaredVariables({ db }, who, holder)
  const stored = await listEndUserVariables(db, { ownerId: who.userId, ...holder })
  const values = new Map(stored.map((variable) => [variable.name, variable]))

  const wanted = [...declared].filter(([name]) => names.length === 0 || names.includes(name))
  return wanted.map(([name, { default: value }]) => values.get(name) ?? { name, value, createdAt: 0, updatedAt: 0 })
}

/** Throws `invalid_request` for a variable that is not declared; then no value is changed. */
export async function writeVariables(
  { db, clock }: { db: Db; clock: Clock },
  who: Principal,
  { values, ...holder }: VariableHolder & { values: Map<string, string> },
): Promise<void> {
  // they fill the bot's prompt: its page must not write them
  if (who.access?.token) throw new AppError('forbidden', 'variables are set with an api key, not with a token')
  const declared = await findDeclaredVariables({ db }, who, holder)
  const unknown = [...values.keys()].find((name) => !declared.has(name))
  if (unknown !== undefined)
    throw new AppError('invalid_request', `data: the ${holder.holder} has no variable named ${JSON.stringify(unknown.slice(0, 100))}`)

  await saveEndUserVariables(db, { ownerId: who.userId, ...holder }, { values, now: clock() })
}

export type DeclaredVariable = Pick<AppVariable, 'type' | 'default'>

/** By name. A bot's are those of the live version, and those that only its draft has; all of them are texts. */
export async function findDeclaredVariables(
  { db }: { db: Db },
  who: Principal,
  { holder, holderId }: Omit<VariableHolder, 'endUser'>,
): Promise<Map<string, DeclaredVariable>> {
  if (holder === 'app') return byName((await getOwnApp({ db }, who, holderId)).variables)

  const bot = await getOwnBot({ db }, who, holderId)
  const live = await findPublishedBot(db, bot.id)
  // the later ones win
  return byName([...bot.draft.variables, ...(live?.config.variables ?? [])].map((variable) => ({ type: 'string', ...variable })))
}

const byName = (variables: (DeclaredVariable & { name: string })[]): Map<string, DeclaredVariable> =>
  new Map(variables.map((variable) => [variable.name, variable]))
