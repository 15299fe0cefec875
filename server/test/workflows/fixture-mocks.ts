import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { createOpenAiAdapter } from '../../src/models/openai-adapter.ts'
import { createProviderConnection } from '../../src/models/provider-connection.ts'
import type { ModelAdapter } from '../../src/models/model-adapter.ts'
import type { CodeRunner } from '../../src/workflows/code/code-runner.ts'
import type { NodeServices } from '../../src/workflows/engine/node-services.ts'
import type { UserTables } from '../../src/workflows/tables/user-tables.ts'
import { parseValue } from '../../src/workflows/values/value.ts'
import type { Value, ValueObject } from '../../src/workflows/values/value.ts'
import { answers, fails, startFakeProvider, wait } from '../support/fake-provider.ts'
import type { Answer, Piece } from '../support/fake-provider.ts'
import type { HttpMock, Json, Mocks, ModelMock, ToolCallMock, UsageMock } from './canvas-fixtures.ts'

/** The mocks of one case: models are real HTTP providers that follow a script, the rest stands in for services. */
export async function startMocks(mocks: Mocks, cleanUp: AsyncDisposableStack): Promise<Partial<NodeServices>> {
  const connection = createProviderConnection({ connectMs: 2_000 })
  cleanUp.defer(() => connection.close())
  const models = new Map<string, ModelAdapter>()
  for (const [type, mock] of Object.entries(mocks.models ?? {})) {
    const provider = await startFakeProvider(scriptOf(mock))
    cleanUp.defer(() => provider.close())
    models.set(type, createOpenAiAdapter({ baseUrl: provider.baseUrl, apiKey: 'sk-test', model: `m-${type}`, connection }))
  }
  return {
    getModel: async (type) => {
      const model = models.get(type) ?? models.get('*')
      if (!model) throw new Error(`the case has no model ${type}`)
      return model
    },
    ...(mocks.code && isMocked(mocks.code) && { code: codeMock(mocks.code) }),
    ...(mocks.app_variables && { variables: variablesMock(mocks.app_variables) }),
    ...(mocks.database && { tables: tablesMock(mocks.database) }),
    ...((mocks.plugin ?? mocks.plugin_tools) && { plugins: pluginsMock(mocks) }),
  }
}

function scriptOf({ invoke, stream, usage, error }: ModelMock): Answer[] | Answer {
  if (error !== undefined) return fails(400, { message: error })
  if (invoke)
    return invoke.map(({ content = '', tool_calls = [], usage: used, delay_ms }) =>
      answers([...(delay_ms ? [wait(delay_ms)] : []), content, ...tool_calls.map(toCall)], { usage: toUsage(used ? [used] : undefined) }),
    )
  const pieces = (stream ?? []).flatMap((piece): Piece[] => (typeof piece === 'string' ? [piece] : piece.tool_calls.map(toCall)))
  return answers(pieces, { usage: toUsage(usage) })
}

const toCall = ({ id, name, arguments: args }: ToolCallMock): Piece => ({ do: 'call', id, name, arguments: args })

function toUsage(used: UsageMock[] | undefined): { input: number; output: number } | undefined {
  return used && { input: sum(used.map((each) => each.prompt_tokens)), output: sum(used.map((each) => each.completion_tokens)) }
}

const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0)

const toValue = (json: Json): Value => parseValue(JSON.stringify(json))

/** A case may leave it to the real thing. */
const isMocked = (mock: NonNullable<Mocks['code']>) => typeof mock !== 'string' || mock.startsWith('echo')

/** `echo params as result`, or a fixed one. */
const codeMock = (mock: NonNullable<Mocks['code']>): CodeRunner => ({
  run: async ({ params }) => (typeof mock === 'string' ? params : (toValue(mock.result) as ValueObject)),
})

const variablesMock = (given: Record<string, Json>): NodeServices['variables'] => {
  const written = new Map<string, Value>()
  return {
    read: async (_scope, name) => written.get(name) ?? toValue(given[name] ?? given['*'] ?? null),
    write: async (_scope, name, value) => void written.set(name, value),
  }
}

function pluginsMock({ plugin, plugin_tools: tools }: Mocks): NodeServices['plugins'] {
  return {
    call: async ({ apiId }) => toValue(tools?.[apiId]?.response ?? plugin?.result ?? null),
    describe: async ({ apiId }) => ({ name: tools?.[apiId]?.name ?? '', description: '', parameters: { type: 'object' } }),
  }
}

function tablesMock(mocks: NonNullable<Mocks['database']>): UserTables {
  const answer = (kind: string) => {
    const { rows = [], rowNum } = mocks[kind] ?? { rowNum: 0 }
    return { rows: rows.map((row) => toValue(row) as ValueObject), rowCount: rowNum ?? 0, isCut: false }
  }
  const check = (kind: string, values: { field: string; value: Value }[]) => {
    const wanted = mocks[kind]?.expect_fields
    if (wanted) expect(Object.fromEntries(values.map(({ field, value }) => [field, value]))).toEqual(wanted)
  }
  return {
    execute: async () => answer('execute'),
    query: async () => answer('query'),
    async insert(_table, values) {
      check('insert', values)
      return answer('insert')
    },
    async update(_table, { values }) {
      check('update', values)
      return answer('update')
    },
    delete: async () => answer('delete'),
  }
}

/** The server that a case of the HTTP node calls; what it got is checked when the case is over. */
export async function startHttpMock(mock: HttpMock, cleanUp: AsyncDisposableStack): Promise<{ port: number; check: () => void }> {
  const got: { url: URL; headers: NodeJS.Dict<string | string[]>; body: string }[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const file = mock.serve?.[url.pathname]
      if (file !== undefined) return response.end(unrolled(file))
      got.push({ url, headers: request.headers, body: Buffer.concat(parts).toString('utf8') })
      response.writeHead(mock.response_status ?? 200, { 'content-type': 'application/json' }).end(mock.response_body ?? echo(got.at(-1)))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp.defer(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return { port, check: () => checkRequest(mock, got.at(-1)) }
}

/** "A repeated 2048 times" */
function unrolled(text: string): string {
  const [, char = '', times] = /^(.) repeated (\d+) times$/.exec(text) ?? []
  return times === undefined ? text : char.repeat(Number(times))
}

type Got = { url: URL; headers: NodeJS.Dict<string | string[]>; body: string } | undefined

const echo = (got: Got) => JSON.stringify({ data: got?.body, args: Object.fromEntries(got?.url.searchParams ?? []) })

function checkRequest(mock: HttpMock, got: Got): void {
  if (!got) throw new Error('nothing was asked of the server')
  expect(got.url.pathname).toBe(mock.path)
  for (const [name, value] of Object.entries(mock.expect_headers ?? {})) expect(got.headers[name.toLowerCase()]).toBe(value)
  for (const [name, value] of Object.entries(mock.expect_query ?? {})) expect(got.url.searchParams.get(name)).toBe(value)
  if (mock.expect_form) expect(Object.fromEntries(new URLSearchParams(got.body))).toEqual(mock.expect_form)
  if (mock.expect_json_body !== undefined) expect(JSON.parse(got.body)).toEqual(mock.expect_json_body)
  if (mock.expect_body !== undefined) expect(got.body).toBe(unrolled(mock.expect_body))
}
