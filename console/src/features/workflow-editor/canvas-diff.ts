import { isObject, toJsonText } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'
import { indexCanvas } from './canvas-model.ts'
import type { CanvasIndex, CanvasNode } from './canvas-model.ts'

/** A place in a node's `data`; undefined where one side has nothing. */
export type ValueChange = { path: string; before: string | undefined; after: string | undefined }
export type NodeChange = { node: CanvasNode; kind: 'added' | 'removed' | 'changed'; values: ValueChange[] }
export type EdgeChange = { kind: 'added' | 'removed'; from: string; to: string; port: string }
export type CanvasDiff = { nodes: NodeChange[]; edges: EdgeChange[]; moved: number }

/** What one canvas has that the other has not, by the ids of nodes. Where nodes stand is only counted. */
export function compareCanvases(before: JsonObject, after: JsonObject): CanvasDiff {
  const [one, other] = [indexCanvas(before), indexCanvas(after)]
  const removed = [...one.nodes.values()].filter(({ id }) => !other.nodes.has(id))
  const kept = [...other.nodes.values()].flatMap((node) => {
    const old = one.nodes.get(node.id)
    return old ? [{ node, old }] : []
  })
  const changed = kept.flatMap(({ node, old }): NodeChange[] => {
    const values = compareValues(old.type === node.type ? old.data : { type: old.type }, node.data, '')
    return values.length === 0 ? [] : [{ node, kind: 'changed', values }]
  })
  const added = [...other.nodes.values()].filter(({ id }) => !one.nodes.has(id))
  return {
    nodes: [
      ...changed,
      ...added.map((node): NodeChange => ({ node, kind: 'added', values: [] })),
      ...removed.map((node): NodeChange => ({ node, kind: 'removed', values: [] })),
    ],
    edges: [...edgesOnlyIn(other, one, 'added'), ...edgesOnlyIn(one, other, 'removed')],
    moved: kept.filter(({ node, old }) => node.position.x !== old.position.x || node.position.y !== old.position.y).length,
  }
}

function edgesOnlyIn(index: CanvasIndex, other: CanvasIndex, kind: EdgeChange['kind']): EdgeChange[] {
  const known = new Set(other.edges.map(({ key }) => key))
  const name = (id: string) => (index.nodes.get(id)?.title.trim() ? (index.nodes.get(id)?.title ?? id) : id)
  return index.edges
    .filter(({ key }) => !known.has(key))
    .map(({ from, to, fromPort }) => ({ kind, from: name(from), to: name(to), port: fromPort }))
}

/** The smallest places that differ; lists of other lengths differ as a whole. */
function compareValues(before: Json | undefined, after: Json | undefined, path: string): ValueChange[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...names].flatMap((name) => compareValues(before[name], after[name], path === '' ? name : `${path}.${name}`))
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((each, index) => compareValues(each, after[index], `${path}[${index}]`))

  const [one, other] = [toText(before), toText(after)]
  return one === other ? [] : [{ path, before: one, after: other }]
}

const toText = (value: Json | undefined): string | undefined =>
  value === undefined ? undefined : typeof value === 'string' ? value : toJsonText(value, 2)
