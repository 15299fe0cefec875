import type { NodeState } from '../../../../server/src/http/console/workflow-run-wire.ts'

/** How a node fares in the test run. `count` is how often it has begun: more than once in loops. */
export type NodeMark = { state: NodeState['state']; count: number; ms: number | undefined }

/** Marks for the nodes of this canvas; those of called workflows have canvases of their own. */
export function toMarks(nodes: Iterable<NodeState>): Map<string, NodeMark> {
  const marks = new Map<string, NodeMark>()
  for (const node of nodes) {
    const steps = node.path.split('/')
    if (steps.slice(0, -1).some((step) => !step.includes('#'))) continue
    // passes of a loop and of a node in batch mode are parts of what is drawn as one node
    if (steps.at(-1)?.includes('#')) continue
    const before = marks.get(node.node_id)
    const ms = node.finished_at === null ? undefined : node.finished_at - node.started_at
    marks.set(node.node_id, { state: worse(before?.state, node.state), count: (before?.count ?? 0) + 1, ms: sum(before, ms) })
  }
  return marks
}

const ORDER: NodeState['state'][] = ['done', 'failed', 'waiting', 'running']

const worse = (before: NodeState['state'] | undefined, now: NodeState['state']) =>
  before !== undefined && ORDER.indexOf(before) > ORDER.indexOf(now) ? before : now

const sum = (before: NodeMark | undefined, ms: number | undefined) =>
  ms === undefined || (before && before.ms === undefined) ? undefined : (before?.ms ?? 0) + ms
