import { z } from 'zod'
import { idField } from '../open/open-fields.ts'
import { timeField } from './paging-wire.ts'

const TIME_RULE = 'must be a time in milliseconds since 1970'
const timeParam = z.coerce.number(TIME_RULE).int(TIME_RULE).min(0, TIME_RULE).max(4_102_444_800_000, TIME_RULE)

/** Calls that began in `from` ≤ time < `to`. At most 1000 buckets and 366 days. */
export const usageQuery = z.object({
  from: timeParam,
  to: timeParam,
  bucket: z.enum(['hour', 'day'], 'must be hour or day').default('day'),
  /** Minutes east of Greenwich where days begin: 480 in China. */
  offset_minutes: z.coerce.number().int().min(-840).max(840, 'must be a number of minutes from -840 to 840').default(0),
  /** `workflow`: runs that were started as such, not those that are part of a chat. */
  kind: z.enum(['chat', 'workflow'], 'must be chat or workflow').default('chat'),
  agent_id: idField.optional(),
  workflow_id: idField.optional(),
  /** 0: calls without a key. */
  key_id: z.union([z.literal('0'), idField]).optional(),
})

/** As a table: of the buckets, or of agents or workflows (`subject`), or of keys. */
export const usageCsvQuery = usageQuery.extend({ by: z.enum(['time', 'subject', 'key'], 'must be time, subject or key').default('time') })

/** Latency is of calls that completed. Percentiles are within 3 % of the exact ones. Null where there is nothing to measure. */
export const measuresSchema = z.object({
  calls: z.number(),
  errors: z.number(),
  canceled: z.number(),
  /** Running, queued or waiting now. */
  open: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  latency_p50_ms: z.number().nullable(),
  latency_p95_ms: z.number().nullable(),
  /** From the call to the first piece of the answer; not of workflows. */
  first_token_p50_ms: z.number().nullable(),
  first_token_p95_ms: z.number().nullable(),
})
export const usageSchema = z.object({
  total: measuresSchema,
  /** Every bucket of the range, in order, empty ones too. */
  buckets: z.array(measuresSchema.extend({ from: timeField, to: timeField })),
  /** Most calls first; at most 1000, and null for `kind=workflow`. */
  by_agent: z.array(measuresSchema.extend({ agent_id: z.string(), name: z.string() })).nullable(),
  by_workflow: z.array(measuresSchema.extend({ workflow_id: z.string(), name: z.string() })).nullable(),
  /** Names of deleted keys are known too. */
  by_key: z.array(measuresSchema.extend({ key_id: z.string(), name: z.string(), last_four: z.string(), is_deleted: z.boolean() })),
})

export type UsageQuery = z.input<typeof usageQuery>
export type Measures = z.infer<typeof measuresSchema>
export type Usage = z.infer<typeof usageSchema>
