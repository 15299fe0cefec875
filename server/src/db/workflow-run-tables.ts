import type { Generated } from 'kysely'
import type { Id, OptionalId, OnCrash } from './tables.ts'

export type WorkflowRunStatus = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'canceled'
export type WorkflowRunMode = 'sync' | 'stream' | 'async'

export type WorkflowRunTable = {
  id: Id
  owner_id: Id
  key_id: OptionalId
  workflow_id: Id
  /** Empty for a run of the draft. */
  version: string
  /** The one node that is tried out; empty for a run of all of them. */
  only_node: string
  app_id: OptionalId
  bot_id: OptionalId
  end_user: string
  connector_id: string
  mode: WorkflowRunMode
  status: WorkflowRunStatus
  /** JSON of the parameters as they were given. */
  input: string
  /** What callers get as `data`. */
  output: string
  /** 1: the output is an answer for people. */
  is_answer: number
  input_tokens: Generated<number>
  output_tokens: Generated<number>
  error_code: Generated<number>
  error_message: Generated<string>
  /** JSON of WaitingEvent[]: the first one is answered next. */
  waiting_events: string
  /** JSON of the last answer to an event, until the run waits again or ends; empty for none. */
  answer: string
  /** JSON of what a chatflow's run needs; empty for any other. */
  chat: string
  conversation_id: OptionalId
  /** The chat that it is a part of: its tokens count there. */
  chat_run_id: OptionalId
  on_crash: OnCrash
  /** How often another process went on with it. */
  recoveries: Generated<number>
  log_id: string
  worker_token: string
  created_at: number
  updated_at: number
  finished_at: Generated<number>
}

/** One execution of a node: the run's checkpoint and its trace. */
export type WorkflowNodeRunTable = {
  run_id: Id
  path: string
  ordinal: number
  node_id: string
  node_type: string
  title: string
  state: 'running' | 'waiting' | 'done' | 'failed'
  inputs: string
  outputs: string
  port: string
  waiting_events: string
  saved: string
  warnings: string
  input_tokens: number
  output_tokens: number
  attempts: number
  error_code: number
  error_message: string
  started_at: number
  finished_at: number
}
