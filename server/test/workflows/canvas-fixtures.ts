import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** Canvases exported from Coze Studio with what they are expected to do; they are kept beside the project, where they are there at all. */
const ROOT = resolve(import.meta.dirname, '../../../../shared/workflow/canvases')

export const hasFixtures = existsSync(resolve(ROOT, 'index.json'))
export const readFixture = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8')

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

export type FixtureTest = {
  file: string
  name: string
  kind: 'run' | 'node_debug' | 'stream_run' | 'chat' | 'validate' | 'prune' | 'openapi_sync_run' | 'management'
  asserted: boolean
  node_id?: string
  input?: Record<string, Json>
  batch_input?: Record<string, Json>
  parameters?: Record<string, Json>
  messages?: { role: 'user' | 'assistant'; content: string }[]
  context?: string
  mocks?: Mocks
  subworkflows?: Record<string, string>
  tool_workflows?: Record<string, string>
  steps?: { resume?: Json; cancel?: boolean; interrupt?: { node_id?: string; event_type: number } }[]
  expect?: Expectation
  expect_events?: Record<string, Json>[]
}

export type ModelMock = {
  invoke?: { content?: string; tool_calls?: ToolCallMock[]; usage?: UsageMock; delay_ms?: number }[]
  stream?: (string | { tool_calls: ToolCallMock[] })[]
  usage?: UsageMock[]
  error?: string
}
export type ToolCallMock = { id: string; name: string; arguments: string }
export type UsageMock = { prompt_tokens: number; completion_tokens: number }

export type Mocks = {
  models?: Record<string, ModelMock>
  code?: { result: Record<string, Json> } | string
  plugin?: { result: Json }
  plugin_tools?: Record<string, { name: string; response: Json }>
  app_variables?: Record<string, Json>
  database?: Record<string, { rows?: Record<string, Json>[]; rowNum: number | null; expect_fields?: Json; expect_condition?: Json }>
  http_server?: HttpMock
  knowledge?: Json
  history?: { role: 'user' | 'assistant'; text: string }[]
  message_list?: Json
  conversation_create_id?: string
}

export type HttpMock = {
  path: string
  expect_headers?: Record<string, string>
  expect_query?: Record<string, string>
  expect_body?: string
  expect_form?: Record<string, string>
  expect_json_body?: Json
  response_status?: number
  response_body?: string
  serve?: Record<string, string>
}

export type Expectation = {
  status?: 'Success' | 'Fail' | 'Cancel'
  output?: Json
  output_contains?: Record<string, Json>
  output_json_contains?: { field: string; json: Record<string, Json> }
  output_list_any_order?: { field: string; items: Json[] }
  answer?: string
  answer_json?: Json
  answer_or_output_text?: string
  emitted_messages?: string[]
  error_contains?: string
  tokens?: { in: number; out: number }
  openapi_code?: number
  no_error?: boolean
}

/** All cases of the index. */
export function listFixtureTests(): FixtureTest[] {
  const index = JSON.parse(readFixture('index.json')) as { files: { file: string; tests: Omit<FixtureTest, 'file'>[] }[] }
  return index.files.flatMap(({ file, tests }) => tests.map((each) => ({ ...each, file })))
}
