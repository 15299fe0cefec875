import { linkAbort, untilAborted } from '../../lib/linked-abort.ts'
import { fillNulls, fillZeros } from '../values/fill-values.ts'
import type { ValueObject } from '../values/value.ts'
import { callWorkflow, runBody } from './run-inner.ts'
import { collectInputs, setOwn } from './collect-inputs.ts'
import type { CollectedInputs } from './collect-inputs.ts'
import { BRANCH_ERROR, outputsAfter } from './error-policy.ts'
import type { GraphNode } from './graph.ts'
import { NodeError, nodeErrors } from './node-error.ts'
import { createRecord, nodeRecorder } from './node-recorder.ts'
import type { NodeRecorder } from './node-recorder.ts'
import type { NodeResult, NodeRun } from './node-type.ts'
import type { Walk } from './run-environment.ts'
import type { Outcome, Scope } from './run-scope.ts'
import type { TextStream } from './text-stream.ts'
import type { WaitingEvent } from './waiting-event.ts'

export type NodeEnd =
  | (Outcome & { kind: 'done' })
  | { kind: 'streaming'; streams: Record<string, TextStream>; finished: Promise<Outcome & { kind: 'done' }> }
  | { kind: 'waiting'; events: WaitingEvent[] }

/**
 * One node from its inputs to its outcome: collect, convert, fill; run under the error policy; fill
 * the outputs; record. What an earlier life of the run has finished is not done again.
 */
export async function runNode(node: GraphNode, walk: Walk): Promise<NodeEnd> {
  const { env, place } = walk
  const path = place.path + node.id
  const before = env.progress.find(path)
  if (before?.state === 'done') {
    if (node.type.setsAround) setAround(walk.scope, before.outputs)
    return { kind: 'done', outputs: before.outputs, port: before.port }
  }

  await env.budget.spend()
  const record = before ?? createRecord(node, path, env)
  const recorder = nodeRecorder(env, record)
  try {
    const collected = await collectNodeInputs(node, walk, recorder)
    const end = await runAttempts({ node, walk, collected, recorder })
    if (end.kind !== 'streaming' && node.type.hasEffects) await env.progress.store()
    return end
  } catch (cause) {
    recorder.fail(cause)
    throw cause
  }
}

async function collectNodeInputs(node: GraphNode, { env, place, scope }: Walk, recorder: NodeRecorder): Promise<CollectedInputs> {
  // what was asked or begun with these inputs goes on with them
  if (recorder.keptInputs) return { values: recorder.keptInputs, streams: {}, skipped: new Set(), warnings: [] }
  if (node.type.code === ENTRY) return { values: place.args ?? {}, streams: {}, skipped: new Set(), warnings: [] }

  const collected = await collectInputs({ node, scope, services: env.services, streams: place.streams })
  for (const warning of collected.warnings) recorder.warn(warning)
  const values = node.type.fillsInputs ? fillZeros(collected.values, unstreamed(node, collected)) : collected.values
  recorder.begin(values)
  return { ...collected, values }
}

const ENTRY = '1'

const unstreamed = (node: GraphNode, { streams }: CollectedInputs) => node.inputs.filter(({ name }) => !Object.hasOwn(streams, name))

type Job = { node: GraphNode; walk: Walk; collected: CollectedInputs; recorder: NodeRecorder }

/** All attempts share one time limit. */
async function runAttempts(job: Job): Promise<NodeEnd> {
  const { node, walk } = job
  const { control, release } = linkAbort(walk.place.signal)
  const { timeoutMs } = node.onError
  const timer =
    timeoutMs > 0 ? setTimeout(() => control.abort(new NodeError(nodeErrors.nodeTimeout, 'node timeout')), timeoutMs) : undefined
  const stop = () => {
    clearTimeout(timer)
    release()
  }
  let isWriting = false
  try {
    const result = await attempt(job, control.signal)
    if (result.kind !== 'streaming') return conclude(job, result)
    isWriting = true
    return { ...result, finished: finishWriting(job, untilAborted(result.finished, control.signal)).finally(stop) }
  } catch (cause) {
    if (walk.place.signal.aborted) throw walk.place.signal.reason
    return recover(job, toNodeError(cause))
  } finally {
    if (!isWriting) stop()
  }
}

/** An error that comes when the text has begun is nobody's to handle: what was written cannot be taken back. */
async function finishWriting(job: Job, finished: Promise<ValueObject>): Promise<Outcome & { kind: 'done' }> {
  try {
    const end = concludeDone(job, { kind: 'done', outputs: await finished })
    if (job.node.type.hasEffects) await job.walk.env.progress.store()
    return end
  } catch (cause) {
    const { signal } = job.walk.place
    const reason: unknown = signal.aborted ? signal.reason : cause
    job.recorder.fail(reason)
    throw reason
  }
}

async function attempt(job: Job, signal: AbortSignal): Promise<NodeResult> {
  const { node, recorder } = job
  for (let attempt = 0; ; attempt++) {
    try {
      signal.throwIfAborted()
      recorder.attempt()
      return await untilAborted(handled(node.type.run(toNodeRun(job, { attempt, signal }))), signal)
    } catch (cause) {
      if (signal.aborted || attempt >= node.onError.retries) throw cause
      recorder.warn(`attempt ${attempt + 1} failed: ${toNodeError(cause).message}`)
    }
  }
}

/** A text may fail when nobody waits for it any more, and must not end the process. */
async function handled(running: Promise<NodeResult>): Promise<NodeResult> {
  const result = await running
  if (result.kind === 'streaming') result.finished.catch(() => undefined)
  return result
}

function toNodeRun({ node, walk, collected, recorder }: Job, { attempt, signal }: { attempt: number; signal: AbortSignal }): NodeRun {
  const { env, place } = walk
  // what was stopped may notice it late: its run has gone on, or is over
  const mayGoOn = () => !signal.aborted
  return {
    node,
    config: node.config,
    inputs: collected.values,
    streams: collected.streams,
    isSkipped: (input) => collected.skipped.has(input),
    streaming: place.streams,
    attempt,
    signal,
    services: env.services,
    say: (text, options) => {
      if (mayGoOn() && (place.isOutermost || node.type.code !== EXIT)) recorder.say(text, options)
    },
    addUsage: recorder.addUsage,
    warn: recorder.warn,
    saved: recorder.saved,
    save: (state) => {
      if (mayGoOn()) recorder.save(state)
    },
    answer: recorder.answer,
    createEvent: recorder.createEvent,
    runBody: (pass) => runBody({ ...walk, place: { ...place, signal } }, node, pass),
    callWorkflow: (call) => callWorkflow({ ...walk, place: { ...place, signal } }, node, call),
  }
}

const EXIT = '2'

function conclude(job: Job, result: NodeResult & { kind: 'done' | 'waiting' }): NodeEnd {
  if (result.kind === 'done') return concludeDone(job, result)
  job.recorder.wait(result.events)
  return result
}

function concludeDone({ node, walk, collected, recorder }: Job, result: NodeResult & { kind: 'done' }): Outcome & { kind: 'done' } {
  const outputs = finishOutputs(node, result.outputs)
  const port = result.port ?? (node.onError.then === 'branch' ? 'default' : '')
  const read = Object.entries(collected.streams).map(([name, stream]) => [name, stream.soFar()] as const)
  if (read.length > 0) recorder.begin({ ...collected.values, ...Object.fromEntries(read) })
  recorder.finish(outputs, port)
  if (node.type.setsAround) setAround(walk.scope, outputs)
  return { kind: 'done', outputs, port }
}

function finishOutputs(node: GraphNode, outputs: ValueObject): ValueObject {
  const { values, missing } = node.type.fillsOutputs ? fillNulls(outputs, node.outputs) : { values: outputs, missing: [] }
  if (missing.length > 0)
    throw new NodeError(nodeErrors.missingParameter, `the node ${node.title} gave no value for its required output ${missing.join(', ')}`)
  return node.onError.then === 'throw' ? values : { ...values, isSuccess: true }
}

/** Loop variables and the break live where all nodes of the pass see them: in the outputs of the loop. */
function setAround(scope: Scope, outputs: ValueObject): void {
  // a pass begins with the loop's
  const [first] = scope.outcomes.values()
  if (first?.kind !== 'done') return
  for (const [name, value] of Object.entries(outputs)) setOwn(first.outputs, name, value)
}

function recover({ node, recorder }: Job, error: NodeError): NodeEnd {
  if (node.onError.then === 'throw') throw error
  const outputs = outputsAfter(error, node.onError, node.outputs)
  const port = node.onError.then === 'branch' ? BRANCH_ERROR : ''
  recorder.finish(outputs, port, error)
  return { kind: 'done', outputs, port }
}

/** Whatever a node rejects with, in words for the builder. What is not meant for them is a bug and stays one. */
function toNodeError(cause: unknown): NodeError {
  if (cause instanceof NodeError) return cause
  throw cause
}
