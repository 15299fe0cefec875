import { z } from 'zod'
import { idField } from '../open/open-fields.ts'
import { pageOf, pagingFields, timeField } from './paging-wire.ts'
import { cursorField } from './preview-wire.ts'

export const runStatusField = z.enum(['queued', 'running', 'waiting', 'succeeded', 'failed', 'canceled'])

/** A run of the draft, as a test: it counts in no usage. */
export const testRunSchema = z.object({
  /** By name; values are of the declared type, or texts that are converted to it (JSON text for objects and lists). */
  parameters: z.record(z.string().max(200), z.unknown()).default({}),
  /** Only this node, with `parameters` as its inputs. */
  only_node: z.string().min(1).max(100).optional(),
  /** Of a chatflow: what the user says. Without it a chatflow runs as a plain workflow. */
  message: z.string().max(200_000, 'must have at most 200000 characters').optional(),
  /** Of a chatflow: where an earlier test run was. */
  conversation_id: idField.optional(),
  /** Whose variables the run sees. */
  agent_id: idField.optional(),
})

export const totalsSchema = z.object({ input_tokens: z.number(), output_tokens: z.number() })

/** What a run waits for; the first one is answered next. */
export const waitingEventSchema = z.object({
  /** As `POST …/answer` wants it. */
  event_id: z.string(),
  node_id: z.string(),
  node_title: z.string(),
  /** What to draw: a question with or without options, or a form. */
  type: z.enum(['question', 'input']),
  /** JSON text of what is asked, as API callers get it. */
  data: z.string(),
})

export const workflowRunItemSchema = z.object({
  id: z.string(),
  workflow_id: z.string(),
  /** Empty: a test run of the draft. */
  version: z.string(),
  status: runStatusField,
  mode: z.enum(['sync', 'stream', 'async']),
  end_user: z.string(),
  error: z.object({ code: z.number(), message: z.string() }).nullable(),
  usage: totalsSchema,
  created_at: timeField,
  finished_at: timeField.nullable(),
})

export const workflowRunSchema = workflowRunItemSchema.extend({
  only_node: z.string().nullable(),
  conversation_id: z.string().nullable(),
  /** JSON text of what was given. */
  input: z.string(),
  /** What callers get as `data`: JSON text of the results or of an answer; empty until it has succeeded. */
  output: z.string(),
  /** The output is an answer for people, in its `data`. */
  is_answer: z.boolean(),
  waiting: z.array(waitingEventSchema),
  log_id: z.string(),
})

export const runHistoryQuery = z.object({
  ...pagingFields,
  status: runStatusField.optional(),
  /** `test`: of the draft. */
  kind: z.enum(['all', 'live', 'test'], 'must be all, live or test').default('all'),
})
/** Newest first. Counted up to 10000. */
export const runPageSchema = pageOf(workflowRunItemSchema)

export const nodeStateField = z.enum(['running', 'waiting', 'done', 'failed'])

/** One execution of a node; passes of loops, sub-workflows and their nodes are records of their own. */
export const nodeStateSchema = z.object({
  /** Ids from outside in: `192046#2/131543` is a node in the third pass of a loop, `187/100001` one in a sub-workflow. */
  path: z.string(),
  node_id: z.string(),
  node_type: z.string(),
  title: z.string(),
  state: nodeStateField,
  started_at: timeField,
  finished_at: timeField.nullable(),
  usage: totalsSchema,
  attempts: z.number(),
  /** Also of a node that went on after an error. */
  error: z.object({ code: z.number(), message: z.string() }).nullable(),
})
export const nodeRecordSchema = nodeStateSchema.extend({
  /** JSON text; a long one is cut, and then is not JSON. */
  inputs: z.string(),
  outputs: z.string(),
  is_cut: z.boolean(),
  port: z.string(),
  warnings: z.array(z.string()),
})
export const traceQuery = z.object({
  page: pagingFields.page,
  size: z.coerce.number().int().min(1).max(500, 'must be a number from 1 to 500').default(200),
})
/** In the order in which they began. */
export const tracePageSchema = pageOf(nodeRecordSchema)
/** Whole, whatever its length. */
export const traceNodeQuery = z.object({ path: z.string().min(1).max(700) })

export const answerSchema = z.object({
  /** Of the run's first waiting event. */
  event_id: z.string('must be the id of the event').min(1).max(200),
  /** What the person says; for a form the JSON text of its values. */
  data: z.string('must be a string').max(1_000_000, 'must have at most 1000000 characters'),
})
/** New events come after the cursor. */
export const runGoesOnSchema = workflowRunSchema.extend({ cursor: z.number() })

/**
 * `GET …/stream`: Server-Sent Events of a run. Each `data` is one of these as JSON, `event` is its type, `id` the cursor to come back
 * with (EventSource does so by itself). The stream ends with `end`, after which the reader closes it.
 */
export const runStreamQuery = z.object({ starting_after: cursorField })
export const runStreamEventSchema = z.discriminatedUnion('type', [
  /** States of nodes that have changed since the last such event; all of them with the first. */
  z.object({ type: z.literal('nodes'), nodes: z.array(nodeStateSchema) }),
  /** A part of what a node says; `seq` counts the parts of each node. */
  z.object({
    type: z.literal('message'),
    node_id: z.string(),
    node_title: z.string(),
    seq: z.number(),
    content: z.string(),
    is_last: z.boolean(),
  }),
  /** It ended or waits: the run as it is now. */
  z.object({ type: z.literal('run'), run: workflowRunSchema }),
  z.object({ type: z.literal('end') }),
])

export type TestRun = z.input<typeof testRunSchema>
export type WaitingEvent = z.infer<typeof waitingEventSchema>
export type WorkflowRunItem = z.infer<typeof workflowRunItemSchema>
export type WorkflowRun = z.infer<typeof workflowRunSchema>
export type RunPage = z.infer<typeof runPageSchema>
export type RunHistoryQuery = z.input<typeof runHistoryQuery>
export type NodeState = z.infer<typeof nodeStateSchema>
export type NodeRecord = z.infer<typeof nodeRecordSchema>
export type TracePage = z.infer<typeof tracePageSchema>
export type RunAnswer = z.input<typeof answerSchema>
export type RunGoesOn = z.infer<typeof runGoesOnSchema>
export type RunStreamEvent = z.infer<typeof runStreamEventSchema>
