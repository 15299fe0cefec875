import { isObject, listAt, readAt, textAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'
import { BATCH, LOOP, nameOf } from './canvas-model.ts'
import type { CanvasIndex, CanvasNode } from './canvas-model.ts'
import { typeOf } from './type-words.ts'

/** An output that a node's settings can refer to. `name` is dotted below objects. */
export type ValueSource = { nodeId: string; nodeName: string; name: string; type: JsonObject }

const MAX_DEPTH = 3

/** What is known when the node runs: outputs of all that leads to it, of its loop and of all that leads to that. Nearest first. */
export function listSources(index: CanvasIndex, nodeId: string): ValueSource[] {
  const node = index.nodes.get(nodeId)
  if (!node) return []
  const before = nodesBefore(index, node).flatMap((each) => sourcesOf(each, outputsOf(each)))
  const own = isBatched(node) ? sourcesOf(node, elementsOf(listAt(node.data, 'inputs.batch.inputLists'))) : []
  const parent = node.parentId === undefined ? undefined : index.nodes.get(node.parentId)
  return [...own, ...before, ...(parent ? [...sourcesOf(parent, passOutputsOf(parent)), ...listSources(index, parent.id)] : [])]
}

const isBatched = ({ data }: CanvasNode) => readAt(data, 'inputs.batch.batchEnable') === true

function nodesBefore(index: CanvasIndex, { id, parentId }: CanvasNode): CanvasNode[] {
  const found = new Set<string>()
  const waiting = [id]
  const incoming = Map.groupBy(index.edges, ({ to }) => to)
  for (const target of waiting) {
    for (const { from } of incoming.get(target) ?? []) {
      if (found.has(from) || from === id || from === parentId) continue
      // an edge from the body of a loop to its end leads nowhere further
      if (index.nodes.get(from)?.parentId !== parentId) continue
      found.add(from)
      waiting.push(from)
    }
  }
  return [...found].map((each) => index.nodes.get(each)).filter((each) => each !== undefined)
}

type Named = { name: string; type: JsonObject }

function outputsOf({ type, data }: CanvasNode): Named[] {
  const outputs = listAt(data, 'outputs')
  return type === LOOP || type === BATCH ? paramsOf(outputs) : outputs.map((each) => ({ name: textAt(each, 'name'), type: typeOf(each) }))
}

function passOutputsOf({ data }: CanvasNode): Named[] {
  return [
    ...elementsOf(listAt(data, 'inputs.inputParameters')),
    ...paramsOf(listAt(data, 'inputs.variableParameters')),
    { name: 'index', type: { type: 'integer' } },
  ]
}

const paramsOf = (params: Json[]): Named[] => params.map((each) => ({ name: textAt(each, 'name'), type: typeOf(readAt(each, 'input')) }))
const elementsOf = (params: Json[]): Named[] => paramsOf(params).map(({ name, type }) => ({ name, type: typeOf(readAt(type, 'schema')) }))

function sourcesOf(node: CanvasNode, named: Named[]): ValueSource[] {
  const nodeName = nameOf(node)
  const flatten = ({ name, type }: Named, depth: number): ValueSource[] => {
    const inner = depth < MAX_DEPTH && textAt(type, 'type') === 'object' ? readAt(type, 'schema') : undefined
    const fields = Array.isArray(inner) ? inner.filter(isObject) : []
    const own = { nodeId: node.id, nodeName, name, type }
    return [own, ...fields.flatMap((field) => flatten({ name: `${name}.${textAt(field, 'name')}`, type: typeOf(field) }, depth + 1))]
  }
  return named.filter(({ name }) => name !== '').flatMap((each) => flatten(each, 0))
}
