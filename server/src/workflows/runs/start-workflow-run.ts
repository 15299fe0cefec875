import { asOwner, mayUseApps, mayUseWorkflow } from '../../accounts/principal.ts'
import type { Principal } from '../../accounts/principal.ts'
import { getOwnApp } from '../../bots/apps.ts'
import { getOwnBot } from '../../bots/bots.ts'
import type { WorkflowRunMode } from '../../db/workflow-run-tables.ts'
import type { JobQueue } from '../../cluster/job-queue.ts'
import type { WriteUnit } from '../../db/group-commit.ts'
import { idempotencyInsert, once } from '../../db/idempotency-store.ts'
import type { IdempotencyKey } from '../../db/idempotency-store.ts'
import { AppError } from '../../lib/app-error.ts'
import { lazily } from '../../lib/lazily.ts'
import { soloGraph } from '../engine/solo-graph.ts'
import { NodeError } from '../engine/node-error.ts'
import { readArguments } from '../nodes/entry-node.ts'
import type { ValueObject } from '../values/value.ts'
import type { RunnableWorkflow } from '../workflow-catalog.ts'
import { attachToRun, untilFinished } from './attach-run.ts'
import { executeWorkflowRun } from './execute-workflow-run.ts'
import type { WorkflowRunDeps } from './execute-workflow-run.ts'
import { workflowRunInsert } from './workflow-run-store.ts'
import { isPartOfChat } from './workflow-run.ts'
import type { ChatflowTurn, WorkflowRun } from './workflow-run.ts'

export type StartWorkflowDeps = WorkflowRunDeps & { queue: JobQueue }

export type WorkflowRunRequest = {
  /** Given where something else that is stored has to name it. */
  runId?: string
  workflowId: string
  /** `published`: the live one; empty: the draft. */
  version: string
  /** To try out one node, with the parameters as its inputs. */
  onlyNode?: string
  parameters: ValueObject
  mode: WorkflowRunMode
  appId?: string
  botId?: string
  endUser: string
  connectorId: string
  logId: string
  /** Parameters that do not fit their declared types are refused, as callers of the API want; the editor's test runs are not so strict. */
  isStrict: boolean
  chat?: ChatflowTurn
  /** What is stored with the run. */
  insert?: WriteUnit['insert']
  guard?: WriteUnit['guard']
  /** The same request sent again is the same run. */
  idempotency?: IdempotencyKey
}

/** `finished` resolves when the run ends or waits, whichever server executes it. */
export type StartedWorkflowRun = { run: WorkflowRun; finished: PromiseLike<WorkflowRun> }

/** Stores the run and starts it, or puts it into the queue. */
export async function startWorkflowRun(deps: StartWorkflowDeps, who: Principal, request: WorkflowRunRequest): Promise<StartedWorkflowRun> {
  return once(deps.db, request.idempotency, {
    perform: () => start(deps, who, request),
    replay(runId) {
      // what is asked for is the same as then; what the key may do need not be
      if (!mayUseWorkflow(who, request.workflowId)) throw new AppError('not_found', 'workflow not found')
      return attachToRun(deps, runId)
    },
  })
}

async function start(deps: StartWorkflowDeps, who: Principal, request: WorkflowRunRequest): Promise<StartedWorkflowRun> {
  const workflow = await deps.catalog.get(who, request.workflowId, request.version)
  await assertOwnHolder(deps, who, { ...request, ownApp: workflow.appId })
  if (request.onlyNode === undefined) assertArguments(workflow, request)
  else if (!soloGraph(workflow.graph, request.onlyNode, {})) throw new AppError('not_found', `the workflow has no node ${request.onlyNode}`)
  // the chat has its place already
  if (!isPartOfChat(request)) deps.liveRuns.assertRoom()

  const run = draftRun(deps, who, { workflow, request })
  const admitted = deps.admission.admit(who, run.id)
  if (admitted) await admitted
  await storeRun(deps, run, request).catch(async (cause: unknown) => {
    await deps.admission.leave(run.id)
    throw cause
  })
  if (run.status === 'running') return { run, finished: beginWorkflowRun(deps, { run, workflow }) }

  deps.admission.handOver(run.id)
  deps.queue.add(run.id)
  return { run, finished: lazily(() => untilFinished(deps, run, 0)) }
}

function storeRun({ commits }: StartWorkflowDeps, run: WorkflowRun, { idempotency, guard, insert }: WorkflowRunRequest): Promise<void> {
  return commits.write({
    guard,
    insert: {
      ...insert,
      workflow_run: [workflowRunInsert(run)],
      idempotency: idempotency ? [idempotencyInsert(idempotency, { id: run.id, now: run.createdAt })] : [],
    },
  })
}

export function beginWorkflowRun(
  deps: WorkflowRunDeps,
  { run, workflow }: { run: WorkflowRun; workflow: RunnableWorkflow },
): Promise<WorkflowRun> {
  return deps.liveRuns.start(run.id, (signal) => executeWorkflowRun(deps, { run, workflow, earlier: [], said: [], firstSeq: 1 }, signal))
}

/** Whose variables and conversations the run sees. */
async function assertOwnHolder(
  deps: StartWorkflowDeps,
  who: Principal,
  { appId, botId, ownApp }: Pick<WorkflowRunRequest, 'appId' | 'botId'> & { ownApp: string | undefined },
): Promise<void> {
  if (appId !== undefined && botId !== undefined) throw new AppError('invalid_request', 'send app_id or bot_id, not both')
  // who may run a workflow may run it in its app
  if (appId !== undefined) await getOwnApp(deps, appId === ownApp || mayUseApps(who) ? asOwner(who) : who, appId)
  if (botId !== undefined) await getOwnBot(deps, who, botId)
}

/** Before anything of the run is stored. Throws `bad_parameters` naming the parameters. */
export function assertArguments(
  { inputs }: Pick<RunnableWorkflow, 'inputs'>,
  { parameters, isStrict }: Pick<WorkflowRunRequest, 'parameters' | 'isStrict'>,
): void {
  try {
    const { missing, warnings } = readArguments(inputs, parameters)
    const [first] = missing
    if (first !== undefined) throw new AppError('bad_parameters', `parameters.${first} is required`)
    if (isStrict && warnings.length > 0) throw new AppError('bad_parameters', `parameters: ${warnings.join('; ')}`)
  } catch (cause) {
    if (cause instanceof NodeError) throw new AppError('bad_parameters', cause.message, { cause })
    throw cause
  }
}

type Asked = { workflow: RunnableWorkflow; request: WorkflowRunRequest }

function draftRun({ nextId, clock, workerToken }: WorkflowRunDeps, who: Principal, { workflow, request }: Asked): WorkflowRun {
  const { workflowId, parameters, mode, botId, endUser, connectorId, logId, chat } = request
  const now = clock()
  return {
    ...{ id: request.runId ?? nextId(), ownerId: who.userId, keyId: who.keyId, workflowId, version: workflow.version },
    ...{
      onlyNode: request.onlyNode,
      appId: request.appId ?? workflow.appId,
      botId,
      endUser,
      connectorId,
      mode,
      parameters,
      chat,
      logId,
      workerToken,
    },
    ...{ status: mode === 'async' ? 'queued' : 'running', output: '', isAnswer: false, error: undefined, waiting: [], answer: undefined },
    ...{
      usage: { inputTokens: 0, outputTokens: 0 },
      onCrash: isPartOfChat(request) ? 'fail' : workflow.onCrash,
      recoveries: 0,
      createdAt: now,
      updatedAt: now,
      finishedAt: 0,
    },
  }
}
