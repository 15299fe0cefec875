import { afterAll, describe, expect, test } from 'vitest'
import { saveApp } from '../../src/bots/apps.ts'
import { botConfigSchema } from '../../src/bots/bot-config.ts'
import { createBot } from '../../src/bots/bots.ts'
import { getOrCreateAppConversation } from '../../src/workflows/conversations/app-conversations.ts'
import type { NodeServices } from '../../src/workflows/engine/node-services.ts'
import { startChatflowRun } from '../../src/workflows/runs/start-chatflow-run.ts'
import { cancelWorkflowRun } from '../../src/workflows/runs/workflow-runs.ts'
import type { WorkflowRun } from '../../src/workflows/runs/workflow-run.ts'
import { parseValue } from '../../src/workflows/values/value.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { createCodeRunner } from '../../src/workflows/code/code-runner.ts'
import { createGuardedFetch } from '../../src/lib/guarded-fetch.ts'
import { testDatabases } from '../support/test-databases.ts'
import { ADA, openWorkflowRunHouse } from '../support/workflow-run-house.ts'
import type { WorkflowRunHouse } from '../support/workflow-run-house.ts'
import { hasFixtures, listFixtureTests, readFixture } from './canvas-fixtures.ts'
import type { Expectation, FixtureTest, Json } from './canvas-fixtures.ts'
import { startHttpMock, startMocks } from './fixture-mocks.ts'

/** What is not as in the original, on purpose. */
const differences: Record<string, string> = {
  'knowledge.json': 'there is no knowledge base yet',
  'knowledge_delete.json': 'there is no knowledge base yet',
  'llm_node_with_skills/llm_with_knowledge_skill.json': 'there is no knowledge base yet',
  'workflow_wf_file_name.json': 'there is no knowledge base yet',
}

/** Cases whose mock says what no real conversation could. */
const mockedAway: Record<string, string> = {
  'conversation_manager/conversation_history.json · empty history': 'the conversation has the message that the workflow itself wrote',
}

const isLeftOut = ({ file, name }: FixtureTest) => file in differences || `${file} · ${name}` in mockedAway

const APP_ID = '700001'
const kinds = ['run', 'node_debug', 'stream_run', 'chat', 'openapi_sync_run']
const cases = hasFixtures ? listFixtureTests().filter(({ kind }) => kinds.includes(kind)) : []
const score = { passed: 0, total: cases.length }

afterAll(() => console.log(`canvases: ${score.passed} of ${score.total}; ${cases.filter(isLeftOut).length} differ on purpose`))

describe.skipIf(!hasFixtures)('canvases exported from Coze Studio', () => {
  for (const [at, each] of cases.entries()) {
    const title = `${each.file} · ${each.kind} · ${each.name}${each.asserted ? '' : ' (derived)'}`
    test.skipIf(isLeftOut(each))(`${at} ${title}`, { timeout: 20_000 }, async () => {
      await using cleanUp = new AsyncDisposableStack()
      await playCase(each, cleanUp)
      score.passed++
    })
  }
})

async function playCase(each: FixtureTest, cleanUp: AsyncDisposableStack): Promise<void> {
  const [{ open } = never()] = testDatabases()
  const db = await open()
  const code = createCodeRunner()
  cleanUp.defer(() => code.close())
  const fetch = createGuardedFetch({ allowedCidrs: ['127.0.0.0/8'] })
  cleanUp.defer(() => fetch.close())
  const services: Partial<NodeServices> = { code, fetch, ...(await startMocks(each.mocks ?? {}, cleanUp)) }
  const house = openWorkflowRunHouse(db, { services })
  await saveApp(house.deps, ADA, {
    id: APP_ID,
    name: 'app',
    description: '',
    iconUrl: '',
    version: '1',
    variables: [],
    conversations: ['template_v1'],
  })

  const http = each.mocks?.http_server && (await startHttpMock(each.mocks.http_server, cleanUp))
  const port = http ? http.port : (await startHttpMock({ path: '/' }, cleanUp)).port
  const local = (text: string) =>
    text.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`).replaceAll(/https?:\/\/echo\.apifox\.com/g, `http://127.0.0.1:${port}`)

  for (const [address, file] of Object.entries({ ...each.subworkflows, ...each.tool_workflows })) {
    const [id = '', version] = address.split('@')
    await storeVersioned(house, { id, version, canvas: local(readFixture(file)) })
  }
  const mode = each.kind === 'chat' ? 'chatflow' : 'workflow'
  const workflowId = await house.store(local(readFixture(each.file)), { name: 'case', mode })
  if (each.kind === 'chat') return playChat(each, { house, workflowId })

  const run = await play(each, { house, workflowId, local })
  checkRun(each, run)
  if (each.expect_events) await checkEvents(each.expect_events, { house, run })
  http?.check()
}

function never(): never {
  throw new Error('there is no database to test with')
}

type Playing = { house: WorkflowRunHouse; workflowId: string; local: (text: string) => string }

async function play(each: FixtureTest, { house, workflowId, local }: Playing): Promise<WorkflowRun> {
  const fill = (value: Json | undefined) => parseValue(local(JSON.stringify(value ?? {})).replaceAll('<cID>', '1')) as ValueObject
  const context = each.context?.startsWith('app') || each.mocks?.app_variables ? { appId: APP_ID } : {}
  const isBot = each.context === 'bot_id set'

  // what the original's mock had ready
  if (each.name === 'dynamic conversation') await getOrCreateAppConversation(house.deps, ADA, { appId: APP_ID, endUser: '', name: 'v1' })

  const parameters = { ...fill(each.input), ...fill(each.batch_input) }
  let run = await house.run(workflowId, { ...context, ...(isBot && { botId: await makeBot(house) }), parameters, onlyNode: each.node_id })
  for (const step of each.steps ?? []) run = await take(step, { house, run })
  return run
}

type Step = NonNullable<FixtureTest['steps']>[number]

async function take(
  { interrupt, cancel, resume }: Step,
  { house, run }: { house: WorkflowRunHouse; run: WorkflowRun },
): Promise<WorkflowRun> {
  expect(run.status).toBe('waiting')
  if (interrupt) expect(run.waiting[0]?.type).toBe(interrupt.event_type)
  if (interrupt?.node_id) expect(run.waiting[0]?.nodeId).toBe(interrupt.node_id)
  if (cancel) return cancelWorkflowRun(house.deps, ADA, { runId: run.id })
  return house.answer(run, typeof resume === 'string' ? resume : JSON.stringify(resume))
}

async function makeBot(house: WorkflowRunHouse): Promise<string> {
  const bot = await createBot(house.deps, ADA, { name: 'bot', description: '', iconUrl: '', config: botConfigSchema.parse({}) })
  return bot.id
}

async function storeVersioned(
  house: WorkflowRunHouse,
  { id, version, canvas }: { id: string; version: string | undefined; canvas: string },
): Promise<void> {
  await house.store(canvas, { id, name: 'test_wf' })
  if (version !== undefined) await house.publish(id, version)
}

function checkRun({ expect: wanted = {} }: FixtureTest, run: WorkflowRun): void {
  if (wanted.openapi_code === 6039) return expect(run.status).toBe('waiting')
  const status = { Success: 'succeeded', Fail: 'failed', Cancel: 'canceled' }[wanted.status ?? 'Success']
  expect({ status: run.status, error: run.error?.message }).toMatchObject({ status })
  if (wanted.error_contains) expect(run.error?.message).toContain(wanted.error_contains)
  if (wanted.tokens) expect(run.usage).toEqual({ inputTokens: wanted.tokens.in, outputTokens: wanted.tokens.out })
  if (run.status === 'succeeded') checkOutput(wanted, run)
}

function checkOutput(wanted: Expectation, run: WorkflowRun): void {
  const output = JSON.parse(run.output) as Record<string, Json>
  const text = run.isAnswer ? toText(output.data) : run.output
  if (wanted.output !== undefined) expect(fix(output)).toEqual(fix(wanted.output))
  if (wanted.output_contains) expect(fix(output)).toMatchObject(fix(wanted.output_contains) as object)
  if (wanted.answer !== undefined) expect(text).toBe(wanted.answer)
  if (wanted.answer_json !== undefined) expect(fix(JSON.parse(text) as Json)).toEqual(fix(wanted.answer_json))
  if (wanted.answer_or_output_text !== undefined) expect(text).toBe(wanted.answer_or_output_text)
  if (wanted.output_list_any_order) {
    const { field, items } = wanted.output_list_any_order
    expect(output[field]).toEqual(expect.arrayContaining(items))
    expect(output[field]).toHaveLength(items.length)
  }
  if (wanted.output_json_contains) {
    const { field, json } = wanted.output_json_contains
    expect(JSON.parse(toText(output[field]))).toMatchObject(json)
  }
}

const toText = (json: Json | undefined): string => (typeof json === 'string' ? json : JSON.stringify(json))

/** Ids that the original's mocks chose are ours to choose. */
function fix(json: Json): Json {
  return JSON.parse(
    JSON.stringify(json)
      .replaceAll(/"(<[cm]ID>|\d{10,19})"/g, '"<id>"')
      .replaceAll(/name(<cID>|1)"/g, 'name"'),
  ) as Json
}

async function checkEvents(wanted: Record<string, Json>[], { house, run }: { house: WorkflowRunHouse; run: WorkflowRun }): Promise<void> {
  const events = await house.events(run.id)
  const messages = events.flatMap((event) =>
    event.type === 'message'
      ? [
          {
            node_id: event.nodeId,
            node_title: event.nodeTitle,
            node_seq_id: String(event.seq),
            node_is_finish: event.isLast,
            content: event.content,
          },
        ]
      : [],
  )
  expect(messages).toEqual(
    wanted
      .filter(({ event }) => event === 'Message')
      .map(({ node_id, node_title, node_seq_id, node_is_finish, content }) => ({
        node_id,
        node_title,
        node_seq_id,
        node_is_finish,
        content,
      })),
  )
  expect(events.at(-1)?.type).toBe('succeeded')
}

async function playChat(each: FixtureTest, { house, workflowId }: { house: WorkflowRunHouse; workflowId: string }): Promise<void> {
  const { finished } = await startChatflowRun({ ...house.deps, fileUrl: async () => '' }, ADA, {
    ...{ workflowId, version: '', endUser: '', connectorId: '1024', logId: 'log', savesHistory: true, style: 'sdk' },
    appId: each.name.includes('bot') ? undefined : APP_ID,
    messages: (each.messages ?? []).map(({ role, content }) => ({ role, content, contentType: 'text' })),
    parameters: parseValue(JSON.stringify(each.parameters ?? {})) as ValueObject,
  })
  const run = await finished
  expect({ status: run.status, error: run.error }).toEqual({ status: 'succeeded', error: undefined })
}
