import { createRunAdmission } from '../../src/accounts/run-admission.ts'
import { createMemoryLimits } from '../../src/cluster/memory-limits.ts'
import type { Principal } from '../../src/accounts/principal.ts'
import { saveApp } from '../../src/bots/apps.ts'
import type { JobQueue } from '../../src/cluster/job-queue.ts'
import { createMemoryJobQueue } from '../../src/cluster/memory-job-queue.ts'
import { createRunStops } from '../../src/journal/run-stops.ts'
import { createLiveRuns } from '../../src/lib/live-runs.ts'
import { createSnowflake } from '../../src/lib/snowflake.ts'
import type { Db } from '../../src/db/database.ts'
import { createGroupCommit } from '../../src/db/group-commit.ts'
import type { GroupCommit } from '../../src/db/group-commit.ts'
import type { ClusterBus } from '../../src/cluster/cluster-bus.ts'
import { createMemoryBus } from '../../src/cluster/memory-bus.ts'
import { createJournalNews } from '../../src/journal/journal-news.ts'
import { createJournal } from '../../src/journal/journal.ts'
import type { NodeTypes } from '../../src/workflows/engine/compile-graph.ts'
import type { NodeServices } from '../../src/workflows/engine/node-services.ts'
import { createWorkflowConversations } from '../../src/workflows/conversations/run-conversations.ts'
import { nodeTypes } from '../../src/workflows/nodes/node-registry.ts'
import type { RunState } from '../../src/workflows/runs/execute-workflow-run.ts'
import { followWorkflowRun } from '../../src/workflows/runs/follow-workflow-run.ts'
import { executeQueuedRun } from '../../src/workflows/runs/run-queue.ts'
import { startWorkflowRun } from '../../src/workflows/runs/start-workflow-run.ts'
import type { StartWorkflowDeps, WorkflowRunRequest } from '../../src/workflows/runs/start-workflow-run.ts'
import type { WorkflowEvent } from '../../src/workflows/runs/workflow-event.ts'
import { resumeWorkflowRun } from '../../src/workflows/runs/workflow-runs.ts'
import type { WorkflowRun } from '../../src/workflows/runs/workflow-run.ts'
import { createGlobalVariables } from '../../src/workflows/services/run-variables.ts'
import { chatflowRoleSchema } from '../../src/workflows/chatflow-role.ts'
import { createWorkflowCatalog } from '../../src/workflows/workflow-catalog.ts'
import { createWorkflow, freezeWorkflow } from '../../src/workflows/workflows.ts'

export const ADA: Principal = { userId: '1', keyId: '7' }

export type WorkflowRunHouse = ReturnType<typeof openWorkflowRunHouse>
export type WorkflowHouseOptions = {
  services?: Partial<NodeServices>
  types?: NodeTypes
  workerToken?: string
  workerId?: number
  maxRuns?: number
  maxRunMs?: number
  /** Of its own when not given. */
  queue?: JobQueue
  commits?: GroupCommit
  bus?: ClusterBus
}

/** All that a run of a workflow needs, below HTTP. What a test does not give of the services, no node must use. */
export function openWorkflowRunHouse(db: Db, options: WorkflowHouseOptions = {}) {
  const { types = nodeTypes, workerToken = 'this process', workerId = 1, maxRuns = 1_000, maxRunMs = 60_000 } = options
  const clock = Date.now
  const nextId = createSnowflake(workerId, clock)
  const { commits = createGroupCommit(db) } = options
  const errors: unknown[] = []
  const onError = (cause: unknown) => void errors.push(cause)
  const giveUp = new AbortController()
  const { bus = createMemoryBus(onError) } = options
  const news = createJournalNews(bus)
  const liveRuns = createLiveRuns({ maxRuns, maxRunMs }, onError)
  const given: Partial<NodeServices> = { ...options.services }

  const deps: StartWorkflowDeps = {
    ...{ db, clock, nextId, commits, workerToken, onError, giveUp: giveUp.signal },
    journal: createJournal<WorkflowEvent>({ db, commits, news, clock, onError }),
    liveRuns,
    stops: createRunStops({ db, clock, bus, news, liveRuns: [liveRuns], onError }),
    admission: createRunAdmission({ db, clock, limits: createMemoryLimits(clock) }),
    catalog: createWorkflowCatalog({ db, nodeTypes: types }),
    servicesFor: (run, state) => parseServices({ ...ownServices(deps, run, state), ...given }),
    onEnded: () => undefined,
    queue: options.queue ?? createMemoryJobQueue({ atOnce: 20, onError }),
  }
  deps.queue.start((runId) => executeQueuedRun(deps, runId))

  return {
    ...{ deps, errors, giveUp, given },
    /** A draft, which is what runs without a version are of. */
    async store(
      canvas: unknown,
      settings: { id?: string; name?: string; appId?: string; mode?: 'workflow' | 'chatflow' } = {},
    ): Promise<string> {
      const { id, name = 'test', appId, mode = 'workflow' } = settings
      const profile = {
        id,
        name,
        description: '',
        iconUrl: '',
        mode,
        onCrash: 'resume',
        role: chatflowRoleSchema.parse({}),
        appId,
      } as const
      const workflow = await createWorkflow(deps, ADA, { ...profile, canvas: typeof canvas === 'string' ? canvas : JSON.stringify(canvas) })
      return workflow.id
    },
    makeApp: (id: string) =>
      saveApp(deps, ADA, { id, name: 'app', description: '', iconUrl: '', version: '1', variables: [], conversations: [] }),
    publish: (workflowId: string, version: string) => freezeWorkflow(deps, ADA, { workflowId, version }),
    start: (workflowId: string, request: Partial<WorkflowRunRequest> = {}) => startWorkflowRun(deps, ADA, asking(workflowId, request)),
    async run(workflowId: string, request: Partial<WorkflowRunRequest> = {}): Promise<WorkflowRun> {
      const { finished } = await startWorkflowRun(deps, ADA, asking(workflowId, request))
      return finished
    },
    async answer(run: WorkflowRun, data: string): Promise<WorkflowRun> {
      const eventId = `${run.id}/${run.waiting[0]?.id ?? ''}`
      const { finished } = await resumeWorkflowRun(deps, ADA, { workflowId: run.workflowId, eventId, data })
      return finished
    },
    /** What a reader gets who comes now and stays to the end. */
    async events(runId: string, cursor = 0): Promise<WorkflowEvent[]> {
      const events: WorkflowEvent[] = []
      for await (const page of followWorkflowRun(deps, { runId, cursor, signal: new AbortController().signal }))
        for (const { event } of page) events.push(event)
      return events
    },
  }
}

const asking = (workflowId: string, request: Partial<WorkflowRunRequest>): WorkflowRunRequest => ({
  ...{ workflowId, version: '', parameters: {}, mode: 'sync', endUser: '', connectorId: '1024', logId: 'log', isStrict: false },
  ...request,
})

function ownServices(deps: StartWorkflowDeps, run: WorkflowRun, state: RunState): Partial<NodeServices> {
  const who = { userId: run.ownerId, keyId: run.keyId }
  const { appId, botId, endUser } = run
  const stored = createGlobalVariables(deps, { who, appId, botId, endUser }, state.variables)
  const variables = {
    ...stored,
    async write(...written: Parameters<typeof stored.write>) {
      await stored.write(...written)
      state.saveVariables(stored.snapshot())
    },
  }
  return {
    clock: deps.clock,
    variables,
    conversations: createWorkflowConversations(deps, { who, appId, botId, endUser, conversationId: run.chat?.conversationId }),
    getHistory: async () => [],
    context: {
      ...{ who, runId: run.id, workflowId: run.workflowId, appId, botId, endUser, isChatflow: run.chat !== undefined },
      fileNames: new Map(),
    },
    async describeWorkflow(workflowId, version) {
      const { name, description, inputs, outputs, isAnswer } = await deps.catalog.get(who, workflowId, version)
      return { name, description, inputs, outputs, isAnswer }
    },
  }
}

const parseServices = (services: Partial<NodeServices>): NodeServices => services as NodeServices
