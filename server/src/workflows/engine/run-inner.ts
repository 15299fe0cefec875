import type { ValueObject } from '../values/value.ts'
import { leastChars } from '../values/value-size.ts'
import { isValueObject } from '../values/value.ts'
import { assertStorable } from './assert-storable.ts'
import type { GraphNode } from './graph.ts'
import { runsInStreamMode } from './graph-streams.ts'
import { NodeError, nodeErrors } from './node-error.ts'
import type { Pass, PassResult, WorkflowCall, WorkflowResult } from './node-type.ts'
import { MAX_PATH_CHARS } from './progress.ts'
import type { Walk } from './run-environment.ts'
import type { Scope } from './run-scope.ts'

/** The graphs inside of nodes: bodies of loops and batches, other workflows. */

const MAX_DEPTH = 20

/** One pass. A pass that an earlier life of the run has finished is not walked again. */
export async function runBody({ env, place, scope }: Walk, node: GraphNode, pass: Pass): Promise<PassResult> {
  const path = placeWithin(place.path, `${node.id}#${pass.index}`)
  const before = env.progress.find(path)
  if (before?.state === 'done') {
    await env.budget.rest()
    return { kind: 'done', ...toPass(before.outputs) }
  }
  if (!node.body) throw new Error(`node ${node.id} has no body`)

  await env.budget.spend()
  const [startedAt, ordinal] = [env.clock(), env.nextOrdinal()]
  const seed = { ...pass.seed }
  const inner: Scope = { outcomes: new Map([[node.id, { kind: 'done', outputs: seed, port: '' }]]), around: scope }
  const signal = pass.signal ?? place.signal
  const end = await env.walkGraph(node.body, { env, place: { ...place, path: `${path}/`, streams: false, signal }, scope: inner })
  if (end.kind === 'waiting') return end

  const outputs = keptOutputs(inner, pass.keep)
  const kept = { seed, outputs }
  assertStorable(kept, `what a pass of the node ${node.title} gives, with its variables,`)

  // the outputs of its nodes are counted already
  env.budget.keep(leastChars(seed))
  env.progress.put({
    ...{ path, ordinal, nodeId: node.id, nodeType: '', title: node.title, state: 'done', inputs: pass.seed, outputs: kept, port: '' },
    ...{ events: [], usage: { inputTokens: 0, outputTokens: 0 }, attempts: 1, warnings: [], startedAt, finishedAt: env.clock() },
  })
  return { kind: 'done', seed, outputs }
}

/** Leaves room for the id of a node. */
const MAX_PLACE_CHARS = MAX_PATH_CHARS - 100

function placeWithin(path: string, step: string): string {
  const place = path + step
  if (place.length <= MAX_PLACE_CHARS) return place
  throw new NodeError(nodeErrors.executionFailed, 'Workflow execution failure: workflows and loops are nested too deeply')
}

function keptOutputs(scope: Scope, keep: string[]): Record<string, ValueObject> {
  const kept: Record<string, ValueObject> = {}
  for (const id of keep) {
    const outcome = scope.outcomes.get(id)
    if (outcome?.kind === 'done') kept[id] = outcome.outputs
  }
  return kept
}

function toPass({ seed, outputs }: ValueObject): { seed: ValueObject; outputs: Record<string, ValueObject> } {
  const kept: Record<string, ValueObject> = {}
  for (const [id, each] of Object.entries(isValueObject(outputs) ? outputs : {})) if (isValueObject(each)) kept[id] = each
  return { seed: isValueObject(seed) ? seed : {}, outputs: kept }
}

export async function callWorkflow({ env, place }: Walk, node: GraphNode, call: WorkflowCall): Promise<WorkflowResult> {
  if (place.depth >= MAX_DEPTH)
    throw new NodeError(
      nodeErrors.executionFailed,
      `Workflow execution failure: workflows call each other more than ${MAX_DEPTH} levels deep`,
    )

  const { graph, isAnswer } = await env.loadWorkflow(call.workflowId, call.version)
  const path = placeWithin(place.path, `${node.id}${call.key === '' ? '' : `@${call.key}`}/`)
  const streams = place.streams && (await runsInStreamMode(graph, env.loadWorkflow))
  const inner = { ...place, path, args: call.inputs, streams, isOutermost: false, depth: place.depth + 1 }
  const end = await env.walkGraph(graph, { env, place: inner, scope: { outcomes: new Map() } })
  return end.kind === 'done' ? { ...end, isAnswer } : end
}
