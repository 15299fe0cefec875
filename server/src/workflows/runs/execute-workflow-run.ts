import type { RunAdmission } from '../../accounts/run-admission.ts'
import type { Db } from '../../db/database.ts'
import { alsoUpdating } from '../../db/group-commit.ts'
import type { GroupCommit } from '../../db/group-commit.ts'
import type { Journal, RunLog } from '../../journal/journal.ts'
import type { RunStops } from '../../journal/run-stops.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Clock } from '../../lib/clock.ts'
import { linkAbort } from '../../lib/linked-abort.ts'
import { RunStopped } from '../../lib/live-runs.ts'
import type { LiveRuns } from '../../lib/live-runs.ts'
import type { NextId } from '../../lib/snowflake.ts'
import { assertStorable } from '../engine/assert-storable.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeServices } from '../engine/node-services.ts'
import type { NodeRecord } from '../engine/progress.ts'
import { soloGraph } from '../engine/solo-graph.ts'
import type { Graph } from '../engine/graph.ts'
import { runWorkflow } from '../engine/run-workflow.ts'
import { collectFileNames } from '../values/convert-value.ts'
import { MAX_CHARS } from '../values/value-size.ts'
import { printEscapedValue } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import type { RunnableWorkflow, WorkflowCatalog } from '../workflow-catalog.ts'
import { isOwnRun } from './claim-run.ts'
import { failAfter } from './fail-workflow-run.ts'
import { createRunProgress } from './run-progress.ts'
import type { RunProgress } from './run-progress.ts'
import { createRunSpeaker } from './run-speaker.ts'
import type { RunSpeaker, SaidMessage } from './run-speaker.ts'
import type { WorkflowEvent } from './workflow-event.ts'
import { closingEvents, endUnit, endedRun } from './workflow-run-ending.ts'
import type { RunOutcome } from './workflow-run-ending.ts'
import { findWorkflowRun } from './workflow-run-store.ts'
import { isPartOfChat } from './workflow-run.ts'
import type { WorkflowRun } from './workflow-run.ts'

export type WorkflowRunDeps = {
  db: Db
  clock: Clock
  nextId: NextId
  commits: GroupCommit
  journal: Journal<WorkflowEvent>
  liveRuns: LiveRuns
  stops: RunStops
  workerToken: string
  catalog: WorkflowCatalog
  admission: RunAdmission
  servicesFor: (run: WorkflowRun, state: RunState) => NodeServices
  onError: (cause: unknown) => void
  /** Told of every run that has ended, for the metrics. */
  onEnded: (run: { status: string; inputTokens: number; outputTokens: number; seconds: number }) => void
  /** Aborts when a stopping server can no longer wait for its database. */
  giveUp: AbortSignal
}

/** What a run's services are told of it, and what they keep between its lives. */
export type RunState = {
  /** Of files among its parameters, by the URLs under which nodes see them. */
  fileNames: Map<string, string>
  /** What the run had written into variables. */
  variables: ValueObject
  saveVariables: (variables: ValueObject) => void
}

/** Where a run begins or goes on: what earlier lives have recorded and said, and the number of its next event. */
export type RunStart = { run: WorkflowRun; workflow: RunnableWorkflow; earlier: NodeRecord[]; said: SaidMessage[]; firstSeq: number }

/** Carries a run to its end, or to where it waits, whatever happens on the way. A stopping server leaves it as it is, to go on elsewhere. */
export async function executeWorkflowRun(deps: WorkflowRunDeps, start: RunStart, stop: AbortSignal): Promise<WorkflowRun> {
  const { run } = start
  const { control, release } = linkAbort(stop)
  const { signal } = control
  const progress = createRunProgress(run.id, start.earlier, assertOwn)
  const log = deps.journal.open(run.id, start.firstSeq, progress)
  progress.onChange(log.touch)
  const speaker = createRunSpeaker(log, run.chat && deps.nextId, start.said)

  /** Nothing is written over what the process does that has the run now. */
  async function assertOwn(tx: Db): Promise<void> {
    if (await isOwnRun(tx, run, deps.clock())) return
    log.abandon()
    control.abort(new RunStopped('shutdown'))
    throw new AppError('conflict', `run ${run.id} was taken over by another server: this one did not answer for a while`)
  }

  try {
    const outcome = await walk(deps, start, { log, progress, speaker, signal }).catch((cause: unknown) => toOutcome(deps, cause, signal))
    if (outcome) return await finish(deps, run, { outcome, log, progress, speaker })
    await log.store(deps.giveUp)
    log.abandon()
    return stop.aborted ? run : ((await findWorkflowRun(deps.db, run.id)) ?? run)
  } catch (cause) {
    log.abandon()
    return await failAfter(deps, run, { cause, message: 'what it has done could not be stored' })
  } finally {
    release()
    await deps.admission.leave(run.id)
  }
}

type Working = { log: RunLog<WorkflowEvent>; progress: RunProgress; speaker: RunSpeaker; signal: AbortSignal }

async function walk(deps: WorkflowRunDeps, { run, workflow, earlier }: RunStart, working: Working): Promise<RunOutcome> {
  const { log, progress, speaker, signal } = working
  const who = { userId: run.ownerId, keyId: run.keyId }
  const end = await runWorkflow(
    {
      services: deps.servicesFor(run, { ...variablesIn(deps, progress), fileNames: collectFileNames(run.parameters, workflow.inputs) }),
      progress: { find: progress.find, put: progress.put, store: () => log.store(signal) },
      clock: deps.clock,
      nextId: deps.nextId,
      resume: run.answer,
      onMessage: speaker.say,
      loadWorkflow: async (workflowId, version) => orNodeError(deps.catalog.get(who, workflowId, version)),
      lastOrdinal: earlier.reduce((last, record) => Math.max(last, record.ordinal), 0),
    },
    { graph: graphOf(run, workflow), args: run.parameters, signal },
  )
  if (end.kind === 'waiting') {
    assertStorable(end.events, 'what this run asks')
    return end
  }
  const isAnswer = workflow.isAnswer && run.onlyNode === undefined
  const output = printOutput(end.outputs, isAnswer)
  if (output.length > MAX_CHARS)
    throw new NodeError(nodeErrors.executionFailed, `the result is larger than ${MAX_CHARS} characters of JSON`)
  return { kind: 'succeeded', isAnswer, output }
}

function graphOf({ onlyNode, parameters }: WorkflowRun, { graph }: RunnableWorkflow): Graph {
  return onlyNode === undefined ? graph : (soloGraph(graph, onlyNode, parameters) ?? graph)
}

const VARIABLES = '$variables'

/** They are a record of the run like those of its nodes. */
function variablesIn({ clock }: WorkflowRunDeps, progress: RunProgress): Pick<RunState, 'variables' | 'saveVariables'> {
  return {
    variables: progress.find(VARIABLES)?.outputs ?? {},
    saveVariables(outputs) {
      assertStorable(outputs, 'what this run has written into variables')
      progress.put({
        ...{
          path: VARIABLES,
          ordinal: 0,
          nodeId: VARIABLES,
          nodeType: '',
          title: '',
          state: 'done',
          inputs: {},
          outputs,
          port: '',
          events: [],
        },
        ...{ usage: { inputTokens: 0, outputTokens: 0 }, attempts: 0, warnings: [], startedAt: clock(), finishedAt: clock() },
      })
    },
  }
}

/** As callers get it: the results as JSON, or an answer wrapped the way Coze does. */
function printOutput(outputs: ValueObject, isAnswer: boolean): string {
  return isAnswer ? JSON.stringify({ content_type: 1, data: outputs.output, type_for_model: 2 }) : printEscapedValue(outputs)
}

/** A workflow that is not there is the caller's mistake. */
async function orNodeError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (cause instanceof AppError) throw new NodeError(nodeErrors.workflowNotFound, cause.message, { cause })
    throw cause
  }
}

/** Undefined for a server that stops: the run goes on where its records end. */
function toOutcome({ onError }: WorkflowRunDeps, cause: unknown, signal: AbortSignal): RunOutcome | undefined {
  const reason: unknown = signal.aborted ? signal.reason : cause
  if (reason instanceof RunStopped) {
    if (reason.reason === 'shutdown') return undefined
    if (reason.reason === 'canceled') return { kind: 'canceled' }
    return failed(nodeErrors.workflowTimeout, 'the workflow took longer than this server allows and was stopped')
  }
  if (reason instanceof NodeError) return failed(reason.code, reason.message)

  onError(reason)
  return failed(nodeErrors.executionFailed, 'Workflow execution failure: internal server error')
}

const failed = (code: number, message: string): RunOutcome => ({ kind: 'failed', error: { code, message } })

type Finishing = { outcome: RunOutcome; log: RunLog<WorkflowEvent>; progress: RunProgress; speaker: RunSpeaker }

async function finish(deps: WorkflowRunDeps, before: WorkflowRun, { outcome, log, progress, speaker }: Finishing): Promise<WorkflowRun> {
  const ending = { before, outcome, usage: progress.usage, said: speaker.said, now: deps.clock() }
  const run = endedRun(ending)
  const [event] = run.waiting
  if (event && !isPartOfChat(run)) speaker.ask(event)
  const unit = alsoUpdating(endUnit(deps, ending), deps.admission.tokenWrite(run.keyId, usedSince(before, run)))
  // whoever reads the end may start the next run at once
  await log.close(closingEvents(run), { ...unit, stored: () => deps.admission.leave(run.id) }, deps.giveUp)
  if (run.status !== 'waiting') deps.onEnded({ status: run.status, ...run.usage, seconds: (run.finishedAt - run.createdAt) / 1000 })
  return run
}

const usedSince = ({ usage: before }: WorkflowRun, { usage }: WorkflowRun) => ({
  inputTokens: usage.inputTokens - before.inputTokens,
  outputTokens: usage.outputTokens - before.outputTokens,
})
