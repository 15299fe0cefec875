import { z } from 'zod'
import { timeField } from './paging-wire.ts'

/** `problem` is empty when all is well, else says what to do. */
const partSchema = z.object({
  kind: z.string(),
  version: z.string(),
  is_ok: z.boolean(),
  problem: z.string(),
  latency_ms: z.number().nullable(),
  /** Of storage on disk. */
  free_bytes: z.number().nullable(),
})

export const statusSchema = z.object({
  version: z.string(),
  node_version: z.string(),
  started_at: timeField,
  uptime_ms: z.number(),
  public_url: z.string(),
  /** kind: SQLite, MariaDB or MySQL. */
  database: partSchema,
  /** kind: disk or s3. */
  storage: partSchema,
  /** Null: the server works without one. */
  redis: partSchema.nullable(),
  /** On this node. */
  running_runs: z.number(),
  open_streams: z.number(),
  memory_bytes: z.number(),
  /** Processes that share the database, this one included. */
  nodes: z.number(),
})

export type Status = z.infer<typeof statusSchema>
