import { linkAbort } from '../../lib/linked-abort.ts'
import type { ValueObject } from '../values/value.ts'
import { takesText } from './collect-inputs.ts'
import { dependencies } from './compile-graph.ts'
import type { Graph, GraphNode } from './graph.ts'
import { NodeError, nodeErrors } from './node-error.ts'
import { AnotherFailed } from './run-environment.ts'
import type { GraphEnd, Walk, WholeEnd } from './run-environment.ts'
import { runNode } from './run-node.ts'
import type { NodeEnd } from './run-node.ts'
import { isLive } from './run-scope.ts'
import type { Outcome } from './run-scope.ts'
import type { TextStream } from './text-stream.ts'
import type { WaitingEvent } from './waiting-event.ts'

/**
 * Walks a graph. A node runs once, when all it waits for is done or skipped and one edge that leads
 * to it is live; it is skipped when none is. Nodes that are ready at the same time run together.
 *
 * When a node waits, what runs is awaited and nothing new begins. When one fails, the others are
 * stopped. Rejects with the first failure, or with the signal's reason.
 */
export async function runGraph(graph: Graph, outer: Walk): Promise<GraphEnd> {
  const { control, release } = linkAbort(outer.place.signal)
  const walk = { ...outer, place: { ...outer.place, signal: control.signal } }
  const published = Promise.withResolvers<Record<string, TextStream>>()
  const ended = walkAll(graph, walk, {
    fail: (cause) => control.abort(cause),
    publish: published.resolve,
  }).finally(release)
  // when the end node is writing, the caller reads along before all is over
  return Promise.race([published.promise.then((streams) => toStreaming(streams, ended)), ended])
}

function toStreaming(streams: Record<string, TextStream>, ended: Promise<WholeEnd>): GraphEnd {
  const finished = ended.then((end) => {
    if (end.kind === 'done') return end.outputs
    throw failure('somebody is waited for beside an answer that was given: lead the node that waits to the end node')
  })
  // who reads along may stop before the end
  finished.catch(() => undefined)
  return { kind: 'streaming', streams, finished, ended }
}

const failure = (what: string) => new NodeError(nodeErrors.executionFailed, `Workflow execution failure: ${what}`)

type Controls = { fail: (cause: unknown) => void; publish: (streams: Record<string, TextStream>) => void }

const ENTRY = '1'
const EXIT = '2'

async function walkAll(graph: Graph, walk: Walk, { fail, publish }: Controls): Promise<WholeEnd> {
  const { env, place, scope } = walk
  const schedule = createSchedule(graph)
  const events: WaitingEvent[] = []
  const over = Promise.withResolvers<undefined>()
  let failure: { cause: unknown } | undefined
  let running = 0

  /** Begins all that can begin, and skips all that will not run; an own list, as graphs may be deep. */
  function spread(ready: GraphNode[]): void {
    for (const node of ready) {
      const isReached = isStart(node, graph) || node.incoming.some((edge) => isLive(scope.outcomes.get(edge.from), edge.port))
      if (!isReached) ready.push(...settle(node.id, { kind: 'skipped' }))
      else if (mayBegin(node)) begin(node)
    }
  }

  /** While somebody is waited for, only what had begun in an earlier life of the run goes on. */
  function mayBegin(node: GraphNode): boolean {
    return !failure && (events.length === 0 || env.progress.find(place.path + node.id) !== undefined)
  }

  function settle(nodeId: string, outcome: Outcome): GraphNode[] {
    scope.outcomes.set(nodeId, outcome)
    return outcome.kind === 'streaming' ? schedule.publish(nodeId, outcome.streams) : schedule.settle(nodeId)
  }

  function begin(node: GraphNode): void {
    running++
    void execute(node).then(() => {
      if (--running === 0) over.resolve(undefined)
    })
  }

  async function execute(node: GraphNode): Promise<void> {
    try {
      const end = await runNode(node, walk)
      if (end.kind === 'streaming') return await write(node, end)
      if (end.kind === 'waiting') events.push(...end.events)
      else spread(settle(node.id, end))
    } catch (cause) {
      failure ??= { cause }
      fail(new AnotherFailed())
    }
  }

  async function write(node: GraphNode, { streams, finished }: NodeEnd & { kind: 'streaming' }): Promise<void> {
    if (node.type.code === EXIT) publish(streams)
    // readers may fail before the writer does, with the writer's own failure
    finished.catch(() => undefined)
    spread(settle(node.id, { kind: 'streaming', streams }))
    spread(settle(node.id, { ...(await finished), streams }))
  }

  spread([...schedule.first()])
  if (running > 0) await over.promise
  if (failure) throw failure.cause
  place.signal.throwIfAborted()
  if (events.length > 0) return { kind: 'waiting', events }
  return { kind: 'done', outputs: outputsOf(graph, walk) }
}

/** A node that nothing leads to any more is no start: it is skipped. */
const isStart = ({ id, type }: GraphNode, { resultOf }: Graph): boolean => type.code === ENTRY || id === resultOf

/** Counts for each node what it still waits for. */
function createSchedule(graph: Graph) {
  const left = new Map(graph.order.map((node) => [node.id, dependencies(node, graph.nodes).length]))
  /** Who went on with a node that was still writing, and does not wait for its end. */
  const early = new Map<string, Set<string>>()

  function release(nodes: readonly GraphNode[]): GraphNode[] {
    return nodes.filter((node) => {
      const count = (left.get(node.id) ?? 0) - 1
      left.set(node.id, count)
      return count === 0
    })
  }

  const dependents = (nodeId: string) => graph.dependents.get(nodeId) ?? []
  return {
    first: () => graph.order.filter((node) => left.get(node.id) === 0),
    publish(nodeId: string, streams: object): GraphNode[] {
      const readers = dependents(nodeId).filter((node) => readsOnly(node, nodeId, streams))
      early.set(nodeId, new Set(readers.map((node) => node.id)))
      return release(readers)
    },
    settle(nodeId: string): GraphNode[] {
      const gone = early.get(nodeId)
      return release(gone ? dependents(nodeId).filter((node) => !gone.has(node.id)) : dependents(nodeId))
    },
  }
}

/** Whether all it needs of that node is in the streams. */
function readsOnly({ type, inputs }: GraphNode, nodeId: string, streams: object): boolean {
  if (!type.readsStreams) return false
  return inputs.every(({ type: wanted, source }) => {
    if (source.from === 'fields') return false
    if (source.from !== 'node' || source.nodeId !== nodeId) return true
    const [name = '', ...deeper] = source.path
    return takesText(wanted) && deeper.length === 0 && Object.hasOwn(streams, name)
  })
}

function outputsOf(graph: Graph, { scope }: Walk): ValueObject {
  const end = graph.resultOf ?? graph.order.find((node) => node.type.code === EXIT)?.id
  if (end === undefined) return {}
  const outcome = scope.outcomes.get(end)
  if (outcome?.kind === 'done') return outcome.outputs
  throw failure('no path that was taken leads to the end node')
}
