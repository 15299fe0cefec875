import { createHmac } from 'node:crypto'
import type { SecretBox } from '../lib/secret-box.ts'

/** `command` is somebody at the command line of the server's machine, `system` the server by itself. */
export const ACTOR_KINDS = ['key', 'session', 'command', 'system'] as const
export type ActorKind = (typeof ACTOR_KINDS)[number]

export type AuditActor = {
  kind: ActorKind
  userId?: string
  keyId?: string
  /** Where the request came from; of a command who ran it, as `name@machine`. */
  address: string
}

/** Small and without secrets or what people wrote: names, versions, roles. */
export type AuditDetails = Record<string, string | number | boolean>

export type NewAuditEntry = {
  actor: AuditActor
  /** Such as `agent.publish`. */
  action: string
  target: { kind: string; id: string }
  details?: AuditDetails
}

export type AuditEntry = {
  /** Its place in the chain, from 1 on. */
  id: string
  at: number
  actor: AuditActor
  action: string
  target: { kind: string; id: string }
  details: AuditDetails
}

/** A row of the chain as it is stored, whose hash is over these very texts. */
export type ChainLink = {
  id: string
  at: number
  actorKind: ActorKind
  actorUserId: string
  keyId: string
  address: string
  action: string
  targetKind: string
  targetId: string
  details: string
  prevHash: string
}

/** How long the chain is, and how it ends. */
export type ChainHead = { entries: number; hash: string }

export type AuditSeals = { hashOf(link: ChainLink): string; sealOf(head: ChainHead): string }

/** Without the master key nobody can make a row that fits, or an end for a shorter chain. */
export function createAuditSeals(secrets: SecretBox): AuditSeals {
  const key = secrets.deriveKey('audit-log')
  const seal = (parts: (string | number)[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('hex')
  return {
    hashOf: ({ id, at, actorKind, actorUserId, keyId, address, action, targetKind, targetId, details, prevHash }) =>
      seal(['entry', id, at, actorKind, actorUserId, keyId, address, action, targetKind, targetId, details, prevHash]),
    sealOf: ({ entries, hash }) => seal(['head', entries, hash]),
  }
}

const DETAILS_LENGTH = 2000
const VALUE_LENGTH = 200

/** As JSON that fits its column: long values are cut, and what is then still too much is left out from the end. */
export function toDetailsText(details: AuditDetails): string {
  const short = Object.entries(details).map(([name, value]) => [name, typeof value === 'string' ? shorten(value, VALUE_LENGTH) : value])
  for (let count = short.length; count > 0; count--) {
    const text = JSON.stringify(Object.fromEntries(short.slice(0, count)))
    if (text.length <= DETAILS_LENGTH) return text
  }
  return '{}'
}

/** A database gives back exactly what it is given only where the text is well-formed. */
export const shorten = (text: string, most: number) => text.slice(0, most).toWellFormed()
