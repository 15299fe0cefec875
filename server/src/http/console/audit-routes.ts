import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { listEmails } from '../../accounts/user-store.ts'
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
      const userIds = new Set(entries.flatMap(({ actor }) => actor.userId ?? []))
      const emails = await listEmails(services.db, [...userIds])
      return success(request, { items: entries.map((entry) => toWire(entry, emails)), total })
    })
  }

function toWire({ id, at, actor, action, target, details }: StoredEntry, emails: Map<string, string>): AuditEntry {
  const { kind, userId, keyId, address } = actor
  return {
    ...{ id, at, actor_kind: kind, actor_user_id: userId ?? null, actor_email: emails.get(userId ?? '') ?? null },
    ...{ key_id: keyId ?? null, address },
    ...{ action, target_kind: target.kind, target_id: target.id, details },
  }
}
