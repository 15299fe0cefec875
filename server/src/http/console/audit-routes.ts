import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { AuditEntry as StoredEntry } from '../../audit/audit-entry.ts'
import { listAuditLog } from '../../audit/audit-log.ts'
import type { AuditDeps } from '../../audit/audit-log.ts'
import { success } from '../success-reply.ts'
import { auditListQuery } from './audit-wire.ts'
import type { AuditEntry } from './audit-wire.ts'

export type AuditListServices = Pick<AuditDeps, 'db'>

/** Who did what on this installation, for its administrators. */
export const auditRoutes =
  (services: AuditListServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get('/api/console/audit', { config: { auth: 'admin' }, schema: { querystring: auditListQuery } }, async (request) => {
      const { actor: actorUserId, actor_kind: actorKind, ...rest } = request.query
      const { entries, total } = await listAuditLog(services, { ...rest, actorUserId, actorKind })
      return success(request, { items: entries.map(toWire), total })
    })
  }

function toWire({ id, at, actor, action, target, details }: StoredEntry): AuditEntry {
  return {
    ...{ id, at, actor_kind: actor.kind, actor_user_id: actor.userId ?? null, key_id: actor.keyId ?? null, address: actor.address },
    ...{ action, target_kind: target.kind, target_id: target.id, details },
  }
}
