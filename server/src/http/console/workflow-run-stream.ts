import type { FastifyReply } from 'fastify'
import { pause } from '../../lib/background.ts'
import { followWorkflowRun } from '../../workflows/runs/follow-workflow-run.ts'
import type { FollowWorkflowDeps } from '../../workflows/runs/follow-workflow-run.ts'
import { listNodeStates } from '../../workflows/runs/run-history-store.ts'
import type { NodeState as StoredState } from '../../workflows/runs/run-history-store.ts'
import { findWorkflowRun } from '../../workflows/runs/workflow-run-store.ts'
import { toJson } from '../open/chat-frames.ts'
import type { SseStreams } from '../sse.ts'
import { toNodeState, toRun } from './workflow-run-view.ts'
import type { RunStreamEvent } from './workflow-run-wire.ts'

export type StreamServices = FollowWorkflowDeps & { streams: SseStreams }
export type StreamPosition = { runId: string; cursor: number }

/** What a run says and how far its nodes are, live, until it ends or waits. A client that leaves stops nothing but this. */
export async function sendRun({ streams, ...deps }: StreamServices, reply: FastifyReply, position: StreamPosition): Promise<void> {
  await streams.send(reply, (signal) => frames(deps, position, signal))
}

/** Nodes are looked at so often, and less often where looking takes long. */
const LOOK_EVERY_MS = 250
const REST_FACTOR = 10
const MAX_NODES = 5_000

async function* frames(deps: FollowWorkflowDeps, { runId, cursor }: StreamPosition, signal: AbortSignal): AsyncGenerator<string[]> {
  const watch = createNodeWatch(deps, runId)
  const events = followWorkflowRun(deps, { runId, cursor, signal })
  let seq = cursor
  for (let next = events.next(); ;) {
    const waking = new AbortController()
    const page = await Promise.race([next, pause(watch.restMs, AbortSignal.any([signal, waking.signal])).then(() => undefined)])
    waking.abort()
    if (signal.aborted) return

    // @NOTE what has ended is looked at once more after that, so that no node is left as it was before
    const nodes = await watch.look({ isLast: page?.done === true })
    if (nodes.length > 0) yield [toFrame({ type: 'nodes', nodes: nodes.map(toNodeState) }, seq)]
    if (page?.done) break
    if (!page) continue

    seq = page.value.at(-1)?.seq ?? seq
    yield page.value.flatMap(({ seq: id, event }) => (event.type === 'message' ? [toFrame(toMessage(event), id)] : []))
    next = events.next()
  }
  const run = await findWorkflowRun(deps.db, runId)
  yield [...(run ? [toFrame({ type: 'run', run: toRun(run) }, seq)] : []), toFrame({ type: 'end' }, seq)]
}

/** Nodes whose state is another one than at the last look; none before it is time to look again. */
function createNodeWatch({ db }: FollowWorkflowDeps, runId: string) {
  const seen = new Map<string, string>()
  let restMs = 0
  let dueAt = 0

  return {
    /** Until the next look. */
    get restMs() {
      return restMs
    },
    async look({ isLast }: { isLast: boolean }): Promise<StoredState[]> {
      const startedAt = performance.now()
      if (startedAt < dueAt && !isLast) return []
      const states = await listNodeStates(db, runId, MAX_NODES)
      const changed = states.filter((node) => seen.get(node.path) !== markOf(node))
      for (const node of changed) seen.set(node.path, markOf(node))
      restMs = Math.max(LOOK_EVERY_MS, (performance.now() - startedAt) * REST_FACTOR)
      dueAt = performance.now() + restMs
      return changed
    },
  }
}

const markOf = ({ state, startedAt, finishedAt, attempts }: StoredState): string => [state, startedAt, finishedAt, attempts].join()

type Message = Extract<RunStreamEvent, { type: 'message' }>

function toMessage(event: { nodeId: string; nodeTitle: string; seq: number; content: string; isLast: boolean }): Message {
  const { nodeId, nodeTitle, seq, content, isLast } = event
  return { type: 'message', node_id: nodeId, node_title: nodeTitle, seq, content, is_last: isLast }
}

const toFrame = (event: RunStreamEvent, id: number): string => `id: ${id}\nevent: ${event.type}\ndata: ${toJson(event)}\n\n`
