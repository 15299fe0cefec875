import { appVariablesSchema } from '../../src/bots/app-store.ts'
import { saveApp } from '../../src/bots/apps.ts'
import type { Db } from '../../src/db/database.ts'
import { createGuardedFetch } from '../../src/lib/guarded-fetch.ts'
import { createSecretBox } from '../../src/lib/secret-box.ts'
import { createOpenAiAdapter } from '../../src/models/openai-adapter.ts'
import { createProviderConnection } from '../../src/models/provider-connection.ts'
import { createToolSets } from '../../src/tools/tool-set.ts'
import { createCodeRunner } from '../../src/workflows/code/code-runner.ts'
import type { NodeServices } from '../../src/workflows/engine/node-services.ts'
import { createWorkflowPlugins } from '../../src/workflows/plugins/workflow-plugins.ts'
import { savePlugin } from '../../src/workflows/plugins/plugins.ts'
import { listNodeRuns } from '../../src/workflows/runs/node-run-store.ts'
import type { WorkflowRunRequest } from '../../src/workflows/runs/start-workflow-run.ts'
import type { WorkflowMessage } from '../../src/workflows/runs/workflow-event.ts'
import type { WorkflowRun } from '../../src/workflows/runs/workflow-run.ts'
import { createUserTableHouse } from '../../src/workflows/tables/owner-tables.ts'
import { parseValue } from '../../src/workflows/values/value.ts'
import type { Value, ValueObject } from '../../src/workflows/values/value.ts'
import { startFakeProvider } from './fake-provider.ts'
import type { Script } from './fake-provider.ts'
import { openapiTool } from './plugin-house.ts'
import { testDatabases } from './test-databases.ts'
import { ADA, openWorkflowRunHouse } from './workflow-run-house.ts'

export { ADA } from './workflow-run-house.ts'

export const APP = '700001'

/** What came of a run, as its caller sees it. */
export type Ran = {
  run: WorkflowRun
  status: WorkflowRun['status']
  /** The results, or the text of an answer. */
  output: Value
  /** As callers get it: JSON text. */
  data: string
  error: string | undefined
  messages: WorkflowMessage[]
}

export type CanvasHouse = Awaited<ReturnType<typeof openCanvasHouse>>

/**
 * Runs canvases with everything real below HTTP: database, code, tables, conversations, plugins, requests to 127.0.0.1, and
 * models that are one HTTP provider following a script (`request.body.model` is `model-<modelType>`).
 */
export async function openCanvasHouse({ db: given, script }: { db?: Db; script?: Script } = {}) {
  const cleanUp = new AsyncDisposableStack()
  const db = given ?? cleanUp.use(await openMemory())
  const code = createCodeRunner()
  cleanUp.defer(() => code.close())
  const guardedFetch = createGuardedFetch({ allowedCidrs: ['127.0.0.0/8'] })
  cleanUp.defer(() => guardedFetch.close())
  const provider = cleanUp.use(await startFakeProvider(script))
  const connection = createProviderConnection({ connectMs: 2_000 })
  cleanUp.defer(() => connection.close())
  const errors: unknown[] = []
  const secrets = createSecretBox('master')
  const toolSets = createToolSets({ secrets, guardedFetch, clock: Date.now, onError: (cause) => errors.push(cause) })
  cleanUp.defer(() => toolSets.close())

  const services: Partial<NodeServices> = {
    ...{ code, fetch: guardedFetch },
    plugins: createWorkflowPlugins({ db, toolSets }, ADA),
    getModel: async (type) => createOpenAiAdapter({ baseUrl: provider.baseUrl, apiKey: 'sk-test', model: `model-${type}`, connection }),
  }
  const house = openWorkflowRunHouse(db, { services })
  services.tables = createUserTableHouse(house.deps).open(ADA, { endUser: 'anna' })
  Object.assign(house.given, { tables: services.tables })

  async function look(run: WorkflowRun): Promise<Ran> {
    const events = await house.events(run.id)
    const messages = events.filter((event) => event.type === 'message')
    const parsed = run.output === '' ? null : parseValue(run.output)
    const output = run.isAnswer ? ((parsed as ValueObject).data ?? null) : parsed
    return { run, status: run.status, output, data: run.output, error: run.error?.message, messages }
  }

  return {
    ...house,
    ...{ db, provider },
    /** A run of a canvas, or of a workflow by its id. */
    async play(canvas: object | string, parameters: ValueObject = {}, request: Partial<WorkflowRunRequest> = {}): Promise<Ran> {
      const id = typeof canvas === 'string' ? canvas : await house.store(canvas)
      return look(await house.run(id, { parameters, ...request }))
    },
    /** The results of a run that goes well. */
    async results(canvas: object | string, parameters: ValueObject = {}, request: Partial<WorkflowRunRequest> = {}): Promise<Value> {
      const ran = await this.play(canvas, parameters, request)
      if (ran.status !== 'succeeded') throw new Error(`the run is ${ran.status}: ${ran.error ?? ''}`)
      return ran.output
    },
    reply: async (ran: Ran, data: string): Promise<Ran> => look(await house.answer(ran.run, data)),
    /** What the nodes of a run have left behind. */
    records: (ran: Ran) => listNodeRuns(db, ran.run.id),
    /** The app `APP`, with these variables and conversations of its own. */
    makeApp: ({ variables = [], conversations = [] }: { variables?: unknown[]; conversations?: string[] } = {}) =>
      saveApp(house.deps, ADA, {
        ...{ id: APP, name: 'app', description: '', iconUrl: '', version: '1', conversations },
        variables: appVariablesSchema.parse(variables),
      }),
    /** `paths` of an OpenAPI document. */
    makePlugin: (id: string, baseUrl: string, paths: object) =>
      savePlugin({ db, secrets, clock: Date.now }, ADA, {
        ...{ id, name: 'plugin', description: '', iconUrl: '' },
        tool: openapiTool(baseUrl, paths),
      }),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

/** What the caller is told, message by message. */
export const saidIn = ({ messages }: Ran): string[] => messages.map(({ content }) => content)

async function openMemory(): Promise<Db & AsyncDisposable> {
  const sqlite = testDatabases().find(({ name }) => name === 'SQLite')
  if (!sqlite) throw new Error('SQLite is always there')
  return sqlite.open()
}
