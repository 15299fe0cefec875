import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { AuditActor, AuditDetails, NewAuditEntry } from '../audit/audit-entry.ts'
import { AppError } from '../lib/app-error.ts'

export type AuditServices = { appendAudit(entry: NewAuditEntry): Promise<void> }

/** How a route is recorded: `none` for what changes nothing that is managed, such as a chat. */
export type RouteAudit = AuditedAction | 'none'

export type AuditedAction = {
  /** Such as `agent.publish`: what it is done to stands before the dot. */
  action: `${'agent' | 'workflow' | 'key' | 'model' | 'user'}.${string}`
  /** Fields of the body that say what was done; never what is a secret or what somebody wrote. */
  fields?: readonly string[]
  /** The action of a request that is refused for want of a right password, where that is recorded, too. */
  refused?: string
}

/** A route's `config` with how it is recorded. */
export const audited = <const C extends object>(
  config: C,
  action: AuditedAction['action'],
  ...fields: string[]
): C & { audit: AuditedAction } => ({
  ...config,
  audit: { action, fields },
})

/** Who changes something by the console, or manages by the API, is recorded, with no exceptions by oversight: a route that does not say how does not register. */
export function recordActions(http: FastifyInstance, services: AuditServices): void {
  http.addHook('onRoute', (route) => {
    const audit = route.config?.audit
    if (audit === undefined && isManaging(route))
      throw new Error(`${String(route.method)} ${route.url} does not declare how it is recorded`)
    if (audit === undefined || audit === 'none') return
    route.preSerialization = [...[route.preSerialization ?? []].flat(), recordBeforeReply(services, audit)]
  })
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const isManaging = ({ method, url, config }: Pick<RouteOptions, 'method' | 'url' | 'config'>) =>
  (url.startsWith('/api/') || config?.action === 'manage') && [method].flat().some((each) => !SAFE.has(each))

/** Nobody is told that something is done before it is recorded. */
function recordBeforeReply(services: AuditServices, audit: AuditedAction) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const action = actionOf(audit, reply.statusCode)
    if (action === undefined || request.isRecorded) return payload

    // the error's own reply comes by here, too
    request.isRecorded = true
    try {
      await services.appendAudit(toEntry(request, { action, fields: audit.fields }, payload))
    } catch (cause) {
      request.log.error({ err: cause, requestId: request.id, action }, 'an action could not be recorded')
      reply.removeHeader('set-cookie')
      throw new AppError('unavailable', 'this was done, but could not be recorded in the audit log: see whether it is as you want it', {
        cause,
      })
    }
    return payload
  }
}

function actionOf({ action, refused }: AuditedAction, status: number): string | undefined {
  return status < 300 ? action : status === 401 ? refused : undefined
}

function toEntry(
  request: FastifyRequest,
  { action, fields = [] }: Pick<NewAuditEntry, 'action'> & Pick<AuditedAction, 'fields'>,
  payload: unknown,
): NewAuditEntry {
  const id =
    textAt(request.params, 'id') ??
    textAt(request.params, 'bot_id') ??
    textAt(request.params, 'key_id') ??
    idInBody(request.body) ??
    idInReply(payload)
  const actor = toActor(request, id)
  return { actor, action, target: { kind: action.replace(/\..*/, ''), id: id ?? actor.userId ?? '' }, details: pick(request.body, fields) }
}

/** Who has just signed in was nobody before: the reply says who it is. */
function toActor(request: FastifyRequest, id: string | undefined): AuditActor {
  const address = request.ip
  const who = 'principal' in request ? request.principal : undefined
  if (!who) return { kind: 'session', userId: id, address }
  return { kind: who.keyId === undefined ? 'session' : 'key', userId: who.userId, keyId: who.keyId, address }
}

const idInBody = (body: unknown) => textAt(body, 'bot_id') ?? textAt(body, 'id')

function idInReply(payload: unknown): string | undefined {
  const data = valueAt(payload, 'data')
  return textAt(data, 'id') ?? textAt(data, 'bot_id') ?? textAt(valueAt(data, 'personal_access_token'), 'id')
}

function pick(body: unknown, fields: readonly string[]): AuditDetails {
  const details: AuditDetails = {}
  for (const field of fields) {
    const value = valueAt(body, field)
    // a password that was typed into the wrong field stays unknown
    if (field === 'email' && !/^[^\s@]+@[^\s@]+$/.test(String(value))) continue
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') details[field] = value
  }
  return details
}

const valueAt = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

function textAt(value: unknown, name: string): string | undefined {
  const found = valueAt(value, name)
  return typeof found === 'string' && found !== '' ? found : undefined
}
