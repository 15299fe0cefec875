import { isRecord } from '../../lib/json-schema.ts'
import type { Binding, CalledWorkflow, Graph, GraphNode, TextWriter } from './graph.ts'
import { NodeError } from './node-error.ts'
import type { LoadedWorkflow } from './run-environment.ts'

/** Whose text reaches a streaming answer, on its own or through other nodes, bodies included. */
export function findStreams({ order }: Pick<Graph, 'order'>): Pick<Graph, 'streams' | 'streamsLike'> {
  const nodes = new Map(order.flatMap((node) => [node, ...(node.body?.order ?? [])]).map((node) => [node.id, node]))
  const reached = new Set([...nodes.values()].filter(isStreamingAnswer))
  for (const node of reached) {
    for (const id of sourcesOf(node.inputs)) {
      const source = nodes.get(id)
      if (source) reached.add(source)
    }
  }
  const writers = [...reached].flatMap(({ writesText }): TextWriter[] => (writesText ? [writesText] : []))
  return { streams: writers.includes('model'), streamsLike: writers.filter((writer) => writer !== 'model') }
}

function isStreamingAnswer({ config }: GraphNode): boolean {
  return isRecord(config) && config.streamsAnswer === true
}

function sourcesOf(bindings: Binding[]): string[] {
  return bindings.flatMap(({ source }) => {
    if (source.from === 'node') return [source.nodeId]
    return source.from === 'fields' ? sourcesOf(source.fields) : []
  })
}

export type StreamingGraph = Pick<Graph, 'streams' | 'streamsLike'>
type LoadWorkflow = (workflowId: string, version: string) => Promise<Pick<LoadedWorkflow, 'graph'>>

/** Whether the workflow runs in stream mode: for its own models, or for those of the workflows it calls. */
export async function runsInStreamMode(graph: StreamingGraph, load: LoadWorkflow, seen = new Set<string>()): Promise<boolean> {
  if (graph.streams) return true
  for (const called of graph.streamsLike) {
    const key = `${called.workflowId}@${called.version}`
    if (seen.has(key)) continue
    seen.add(key)
    const inner = await findGraph(called, load)
    if (inner && (await runsInStreamMode(inner, load, seen))) return true
  }
  return false
}

/** One that is missing is the failure of the node that calls it, when that comes to run. */
async function findGraph({ workflowId, version }: CalledWorkflow, load: LoadWorkflow): Promise<Graph | undefined> {
  try {
    return (await load(workflowId, version)).graph
  } catch (cause) {
    if (cause instanceof NodeError) return undefined
    throw cause
  }
}
