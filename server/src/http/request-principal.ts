import type { Action } from '../accounts/key-policy.ts'
import type { Principal } from '../accounts/principal.ts'
import type { RouteAudit } from './audit-trail.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; set before the handler on every route that is not public. */
    principal: Principal
    /** There is an entry of it in the audit log, or was one tried. */
    isRecorded?: boolean
  }
  interface FastifyContextConfig {
    /** How a route is protected; `admin` is a session of an administrator. */
    auth?: 'key' | 'session' | 'admin' | 'public'
    /** What a key needs for it: one of several, or being a key (`any`). */
    action?: Action | readonly Action[] | 'any'
    audit?: RouteAudit
  }
}
