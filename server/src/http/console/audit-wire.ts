import { z } from 'zod'
import { optionalIdField } from '../open/open-fields.ts'
import { pageOf, pagingFields, timeField } from './paging-wire.ts'

const TIME_RULE = 'must be a time in milliseconds'
const optionalTime = z.coerce.number(TIME_RULE).int(TIME_RULE).min(0, TIME_RULE).optional()
const actorKindField = z.enum(['key', 'session', 'command', 'system'], 'must be key, session, command or system')

export const auditListQuery = z.object({
  ...pagingFields,
  /** Who did it: id of a user. */
  actor: optionalIdField,
  actor_kind: actorKindField.optional(),
  /** Such as `agent.publish`; `agent.` finds all that begin so. */
  action: z
    .string()
    .regex(/^[a-z_]{1,30}\.[a-z_]{0,30}$/, 'must be an action such as agent.publish, or its beginning with the dot')
    .optional(),
  /** From this time on, before that one. */
  from: optionalTime,
  to: optionalTime,
})

export const auditEntrySchema = z.object({
  /** Its place in the log, from 1 on. */
  id: z.string(),
  at: timeField,
  actor_kind: actorKindField,
  /** Null where nobody was signed in, and of commands. */
  actor_user_id: z.string().nullable(),
  /** As it is now; it is no part of what is sealed. */
  actor_email: z.string().nullable(),
  key_id: z.string().nullable(),
  address: z.string(),
  action: z.string(),
  target_kind: z.string(),
  target_id: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})
/** Newest first. */
export const auditPageSchema = pageOf(auditEntrySchema)

export type AuditEntry = z.infer<typeof auditEntrySchema>
export type AuditPage = z.infer<typeof auditPageSchema>
