/**
 * The edges that lie on a cycle, in their order: both ends are reachable from each other. Takes time in proportion
 * to the number of edges, however long the chains (Kosaraju's search, without recursion).
 */
export function findCycles<Edge extends { from: string; to: string }>(edges: readonly Edge[]): Edge[] {
  const forward = neighbours(edges.map(({ from, to }) => [from, to]))
  const backward = neighbours(edges.map(({ from, to }) => [to, from]))
  const groups = new Map<string, string>()
  for (const start of finishOrder(forward).reverse()) {
    if (!groups.has(start)) markGroup(start, backward, groups)
  }
  return edges.filter(({ from, to }) => groups.get(from) === groups.get(to))
}

type Neighbours = Map<string, string[]>

function neighbours(pairs: [string, string][]): Neighbours {
  const known: Neighbours = new Map()
  for (const [from, to] of pairs) {
    known.set(to, known.get(to) ?? [])
    const next = known.get(from)
    if (next) next.push(to)
    else known.set(from, [to])
  }
  return known
}

/** All nodes, each after those that are found from it. */
function finishOrder(graph: Neighbours): string[] {
  const finished: string[] = []
  const seen = new Set<string>()
  for (const start of graph.keys()) {
    const open = [{ id: start, next: 0 }]
    if (seen.has(start)) open.pop()
    seen.add(start)
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const id = graph.get(top.id)?.[top.next++]
      if (id === undefined) {
        finished.push(top.id)
        open.pop()
      } else if (!seen.has(id)) {
        seen.add(id)
        open.push({ id, next: 0 })
      }
    }
  }
  return finished
}

function markGroup(start: string, graph: Neighbours, groups: Map<string, string>): void {
  const waiting = [start]
  groups.set(start, start)
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    for (const next of graph.get(id) ?? []) {
      if (groups.has(next)) continue
      groups.set(next, start)
      waiting.push(next)
    }
  }
}
