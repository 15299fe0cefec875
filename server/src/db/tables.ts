import type { ColumnType, Generated } from 'kysely'
import type { UserAccountTable, UserSessionTable, UserTable, UserVerificationTable } from './account-tables.ts'
import type { AuditEntryTable, AuditHeadTable } from './audit-tables.ts'
import type { ApiKeyOldSecretTable, KeyTokensTable } from './key-tables.ts'
import type { WorkflowNodeRunTable, WorkflowRunTable } from './workflow-run-tables.ts'

/**
 * The tables as Kysely sees them, the same on both databases.
 * Ids are BIGINT: they go in as digit strings and come out as a number where it is exact, else as
 * a digit string; stores turn them into strings with `String(…)`. Times are milliseconds.
 * JSON is kept as text, so that both databases give the same string back.
 */
export type Id = ColumnType<number | string, string, string>
export type OptionalId = ColumnType<number | string | null, string | null | undefined, string | null>
export type AutoId = ColumnType<number | string, string | undefined, never>

export type ApiKeyTable = {
  id: AutoId
  /** MD5 hex of the secret, as the guide's table has it. */
  api_key: string
  name: string
  status: Generated<number>
  user_id: Id
  expired_at: number
  created_at: number
  updated_at: number
  last_used_at: Generated<number>
  ak_type: Generated<number>
  /** HMAC-SHA-256 hex of the secret under the server's pepper; empty in rows imported from Coze. */
  secret_hash: Generated<string>
  last_four: Generated<string>
  /** JSON of KeyPolicy; null where nothing is limited. */
  policy: ColumnType<string | null, string | null | undefined, string | null>
  /** 0 while it may be used. */
  disabled_at: Generated<number>
  /** The key that made it over the API. */
  maker_key_id: OptionalId
}

export type ModelTable = {
  id: Id
  name: string
  protocol: 'openai' | 'anthropic' | 'google' | 'demo'
  base_url: string
  api_key_sealed: string
  provider_model: string
  created_at: number
  updated_at: number
}

export type BotTable = {
  id: Id
  owner_id: Id
  name: string
  description: string
  icon_url: string
  /** JSON of BotConfig: the draft. */
  draft: string
  live_version_id: OptionalId
  created_at: number
  updated_at: number
}

export type BotVersionTable = {
  id: Id
  bot_id: Id
  version: string
  note: string
  name: string
  description: string
  icon_url: string
  /** JSON of BotConfig; never changes. */
  config: string
  created_at: number
}

export type ConversationTable = {
  id: Id
  owner_id: Id
  bot_id: OptionalId
  /** An id the caller chose, one of its kind for each owner. */
  external_id: string | null
  /** The caller's own `user_id`; empty when none was given. */
  end_user: string
  connector_id: Id
  name: string
  meta_data: string
  section_id: Id
  /** The chat that is running in it: one at a time. */
  active_run_id: OptionalId
  created_at: number
  updated_at: number
  /** 0 while it exists. */
  deleted_at: Generated<number>
}

export type MessageRole = 'user' | 'assistant'
export type MessageType = 'question' | 'answer' | 'function_call' | 'tool_output' | 'tool_response' | 'follow_up' | 'verbose'
export type ContentType = 'text' | 'object_string' | 'card'

export type MessageTable = {
  id: Id
  conversation_id: Id
  section_id: Id
  run_id: OptionalId
  bot_id: OptionalId
  role: MessageRole
  type: MessageType
  content: string
  content_type: ContentType
  reasoning: string
  meta_data: string
  created_at: number
  updated_at: number
}

export type RunStatus = 'created' | 'in_progress' | 'requires_action' | 'completed' | 'failed' | 'canceled'

export type RunTable = {
  id: Id
  owner_id: Id
  key_id: OptionalId
  bot_id: Id
  bot_version_id: Id
  conversation_id: Id
  section_id: Id
  end_user: string
  status: RunStatus
  meta_data: string
  /** The answer's message, fixed when the run starts, so that a crash can still save a partial answer under it. */
  answer_id: Id
  input_tokens: Generated<number>
  output_tokens: Generated<number>
  error_code: Generated<string>
  error_message: Generated<string>
  /** The dialect its caller writes in; only http/open knows what it means. */
  client_style: string
  /** JSON of what goes into the meta data of every message of the run. */
  message_meta: string
  /** 0: its messages are not kept. */
  saves_history: number
  /** Told of the run's end; empty for nobody. */
  callback_url: string
  /** JSON of what the run needs to go on, while it waits for tool outputs. */
  waiting: Generated<string>
  /** The process that executes it; when that process is gone, the run is ended by another. */
  worker_token: string
  created_at: number
  /** When it began, or last went on. */
  started_at: number
  finished_at: Generated<number>
  /** From its creation to the first piece of its answer; null before that. */
  first_token_ms: ColumnType<number | null, number | null | undefined, number | null>
}

export type JournalSegmentTable = {
  run_id: Id
  first_seq: number
  last_seq: number
  /** JSON array of the events first_seq…last_seq. */
  events: string
  /** 1 when last_seq is the end of the run. */
  ends_run: number
  created_at: number
}

export type IdempotencyTable = {
  scope: string
  idempotency_key: string
  request_hash: string
  result_id: Id
  created_at: number
}

/** What an end user thinks of an answer: one for each message. */
export type MessageFeedbackTable = {
  message_id: Id
  feedback_type: 'like' | 'unlike'
  /** JSON array of texts. */
  reason_types: string
  comment: string
  created_at: number
  updated_at: number
}

export type AppTable = {
  id: Id
  owner_id: Id
  name: string
  description: string
  icon_url: string
  version: string
  /** JSON of AppVariable[]. */
  variables: string
  /** JSON of names; null in apps that were made before there were any. */
  conversations: string | null
  created_at: number
  updated_at: number
}

/** The name that a conversation has in its app, among those of one end user. */
export type AppConversationTable = {
  conversation_id: Id
  app_id: Id
  /** The caller's own user id; empty when none was given. */
  end_user: string
  name: string
  /** SHA-256 hex of end user and name: unique in the app. MySQL itself takes "a" and "a " for the same. */
  name_key: string
  created_at: number
  updated_at: number
}

export type WorkflowMode = 'workflow' | 'chatflow'
/** What becomes of a run whose process dies: it goes on, or it fails. */
export type OnCrash = 'resume' | 'fail'

export type WorkflowTable = {
  id: Id
  owner_id: Id
  app_id: OptionalId
  name: string
  description: string
  icon_url: string
  mode: WorkflowMode
  on_crash: OnCrash
  /** The draft. */
  canvas: string
  /** JSON of ChatflowRole. */
  role: string
  live_version_id: OptionalId
  created_at: number
  /** Grows with every change. */
  updated_at: number
}

export type WorkflowVersionTable = {
  id: Id
  workflow_id: Id
  version: string
  note: string
  name: string
  description: string
  icon_url: string
  mode: WorkflowMode
  on_crash: OnCrash
  canvas: string
  role: string
  created_at: number
}

/** What workflows call under the id that canvases name: a tool, as bots have them. */
export type PluginTable = {
  id: Id
  owner_id: Id
  name: string
  description: string
  icon_url: string
  /** JSON of ServerBotTool; the values of its headers are sealed. */
  tool: string
  created_at: number
  updated_at: number
}

/** A table that a user has defined for workflows; its rows are in a table of its own, see `workflows/tables`. */
export type UserTableDefinitionTable = {
  id: Id
  owner_id: Id
  name: string
  description: string
  /** JSON of UserField[]. */
  fields: string
  /** Part of the name under which its rows are kept: grows when fields change in a way that rows cannot follow. */
  revision: number
  created_at: number
  updated_at: number
}

/** The value that a variable of a bot or of an app has for one end user. */
export type EndUserVariableTable = {
  owner_id: Id
  holder: 'bot' | 'app'
  holder_id: Id
  end_user: string
  name: string
  value: string
  created_at: number
  updated_at: number
}

export type FileTable = {
  id: Id
  owner_id: Id
  name: string
  size_bytes: number
  mime: string
  /** Where the object store keeps the bytes. */
  object_key: string
  created_at: number
}

export type WebhookStatus = 'pending' | 'delivered' | 'failed'
export type WebhookEventType = 'chat.completed' | 'chat.failed' | 'chat.canceled' | 'chat.requires_action'

export type WebhookDeliveryTable = {
  id: Id
  owner_id: Id
  run_id: Id
  /** The same in every delivery of one event, replays included: receivers know repeats by it. */
  event_id: Id
  event_type: WebhookEventType
  url: string
  /** The url's host and port: each receiver gets its share of the sender. */
  host: string
  status: WebhookStatus
  /** Counted when an attempt begins. */
  attempts: Generated<number>
  /** While an attempt runs: when it is taken for dead. */
  next_attempt_at: number
  last_error: Generated<string>
  /** The last answer's HTTP status; 0 when there was none. */
  last_status: Generated<number>
  created_at: number
  /** 0 until it is delivered. */
  delivered_at: Generated<number>
  /** The body as it is sent and signed. */
  payload: string
}

/** A run that is to be stopped, and is executed by a process that may not know it. */
export type StopRequestTable = {
  run_id: Id
  created_at: number
}

export type WorkerTable = {
  id: number
  token: string
  host: string
  pid: number
  expires_at: number
}

export type Tables = {
  user: UserTable
  user_session: UserSessionTable
  user_account: UserAccountTable
  user_verification: UserVerificationTable
  api_key: ApiKeyTable
  api_key_old_secret: ApiKeyOldSecretTable
  key_tokens: KeyTokensTable
  model: ModelTable
  bot: BotTable
  bot_version: BotVersionTable
  app: AppTable
  app_conversation: AppConversationTable
  workflow: WorkflowTable
  workflow_version: WorkflowVersionTable
  plugin: PluginTable
  user_table: UserTableDefinitionTable
  end_user_variable: EndUserVariableTable
  conversation: ConversationTable
  message: MessageTable
  message_feedback: MessageFeedbackTable
  run: RunTable
  journal_segment: JournalSegmentTable
  idempotency: IdempotencyTable
  file: FileTable
  webhook_delivery: WebhookDeliveryTable
  workflow_run: WorkflowRunTable
  workflow_node_run: WorkflowNodeRunTable
  worker: WorkerTable
  stop_request: StopRequestTable
  audit_entry: AuditEntryTable
  audit_head: AuditHeadTable
}
