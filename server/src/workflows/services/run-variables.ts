import type { Principal } from '../../accounts/principal.ts'
import { listEndUserVariables, saveEndUserVariables } from '../../bots/end-user-variable-store.ts'
import { findDeclaredVariables } from '../../bots/end-user-variables.ts'
import type { DeclaredVariable, VariableHolder } from '../../bots/end-user-variables.ts'
import type { Db } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Clock } from '../../lib/clock.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { convertValue } from '../values/convert-value.ts'
import { toText } from '../values/value-text.ts'
import { isValueObject } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'
import type { GlobalVariables } from './global-variables.ts'

export type VariablesContext = {
  who: Principal
  appId?: string
  botId?: string
  /** The caller's own user id; empty when none was given: then the user's variables live as long as the run. */
  endUser: string
  /** Of the chat that the run is, or is a part of. */
  conversationId?: string
}

/** The variables of one run. */
export type RunVariables = GlobalVariables & {
  /** What the run has written for itself: with it, another life of the run goes on where this one was. */
  snapshot(): ValueObject
}

type Deps = { db: Db; clock: Clock }

/** `before` is the snapshot of an earlier life of the run. */
export function createGlobalVariables(deps: Deps, context: VariablesContext, before: ValueObject = {}): RunVariables {
  const written = { app: parseWritten(before.app), user: parseWritten(before.user) }
  let known: Map<string, DeclaredVariable> | undefined

  async function findDeclared(name: string): Promise<DeclaredVariable> {
    const holder = requireHolder(context)
    known ??= await told(findDeclaredVariables(deps, context.who, holder))
    const declared = known.get(name)
    if (!declared) throw failure(`the ${holder.holder} has no variable named ${JSON.stringify(name.slice(0, 100))}: declare it there`)
    return declared
  }

  return {
    async read(scope, name) {
      if (scope === 'system') return readSystem(context, name)
      const own = written[scope].get(name)
      if (own !== undefined) return own

      const declared = await findDeclared(name)
      const kept = scope === 'user' ? await findKept(deps, context, name) : undefined
      return toDeclaredType(kept ?? declared.default, declared)
    },
    async write(scope, name, value) {
      // @NOTE the app's need no declaration: whoever reads them is in the same run
      if (scope === 'user') await findDeclared(name)
      if (scope === 'user' && context.endUser !== '') await keep(deps, context, { name, text: toText(value) })
      else {
        requireHolder(context)
        written[scope].set(name, value)
      }
    },
    snapshot: () => ({ app: Object.fromEntries(written.app), user: Object.fromEntries(written.user) }),
  }
}

const parseWritten = (values: Value | undefined): Map<string, Value> => new Map(isValueObject(values) ? Object.entries(values) : [])

function requireHolder({ appId, botId, endUser }: VariablesContext): VariableHolder {
  if (appId !== undefined) return { holder: 'app', holderId: appId, endUser }
  if (botId !== undefined) return { holder: 'bot', holderId: botId, endUser }
  throw failure('global variables belong to an app or an agent: run the workflow with an app_id or a bot_id')
}

/** Nobody in particular has no values. */
async function findKept({ db }: Deps, context: VariablesContext, name: string): Promise<string | undefined> {
  if (context.endUser === '') return undefined
  const kept = await listEndUserVariables(db, { ownerId: context.who.userId, ...requireHolder(context) })
  return kept.find((variable) => variable.name === name)?.value
}

/** As much as the API takes. */
const MAX_VALUE = 10_000

async function keep({ db, clock }: Deps, context: VariablesContext, { name, text }: { name: string; text: string }): Promise<void> {
  if (text.length > MAX_VALUE)
    throw failure(
      `the value of a user's variable must have at most ${MAX_VALUE} characters: ${JSON.stringify(name)} would have ${text.length}`,
    )
  const scope = { ownerId: context.who.userId, ...requireHolder(context) }
  await saveEndUserVariables(db, scope, { values: new Map([[name, text]]), now: clock() })
}

function toDeclaredType(text: string, { type }: DeclaredVariable): Value {
  return convertValue(text, { kind: type === 'float' ? 'number' : type }).value
}

/** Coze's name for who the run is for, and what else nodes may want to know of it. */
function readSystem({ endUser, conversationId = '', appId = '', botId = '' }: VariablesContext, name: string): string {
  const values = { sys_uuid: endUser, sys_conversation_id: conversationId, sys_app_id: appId, sys_bot_id: botId }
  const value = new Map(Object.entries(values)).get(name)
  if (value === undefined)
    throw failure(`there is no system variable named ${JSON.stringify(name.slice(0, 100))}, only ${Object.keys(values).join(', ')}`)
  return value
}

const failure = (message: string): NodeError => new NodeError(nodeErrors.variablesFailed, message)

async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (cause instanceof AppError) throw new NodeError(nodeErrors.variablesFailed, cause.message, { cause })
    throw cause
  }
}
