import { isRecord } from '../../lib/json-schema.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { findType, parsePassOutputs } from '../canvas/node-outputs.ts'
import { isEntry } from '../canvas/prune-canvas.ts'
import { nodeIssue } from './canvas-issue.ts'
import type { CanvasIssue } from './canvas-issue.ts'
import { findNode } from './canvas-part.ts'
import type { CanvasPart } from './canvas-part.ts'
import { missingTarget } from './check-references.ts'
import { checkSettings } from './check-settings.ts'
import { findCycles } from './find-cycles.ts'
import type { Plans, Read } from './plan-nodes.ts'

/** What is drawn as it should be and could still not be run. */
export function checkRunnable(parts: CanvasPart[], plans: Plans): CanvasIssue[] {
  const issues = parts.flatMap((part) => [...part.nodes.values()].flatMap((node) => checkNode({ part, node, plans })))
  return issues.length > 0 ? issues : checkOrder(parts, plans)
}

type Place = { part: CanvasPart; node: CanvasNode; plans: Plans }

function checkNode(place: Place): CanvasIssue[] {
  const { part, node, plans } = place
  const { late = [], reads = [], bodyReads = [] } = plans.get(node) ?? {}
  return [
    ...late,
    ...checkSettings(node, part.around?.node),
    ...reads.flatMap((read) => checkRead(place, read)),
    ...bodyReads.flatMap((read) => checkBodyRead(place, read)),
  ]
}

function checkRead(place: Place, read: Read): CanvasIssue[] {
  const { part, node } = place
  if (read.nodeId === node.id) return [nodeIssue(node, `node "${node.title}" refers to itself`, pathOf(node, read))]

  const target = findNode(part, read.nodeId)
  return target ? checkPath(place, { read, target }) : [missingTarget(node, read.nodeId, pathOf(node, read))]
}

function checkBodyRead(place: Place, read: Read): CanvasIssue[] {
  const { part, node } = place
  const target = node.blocks.find(({ id }) => id === read.nodeId) ?? findNode(part, read.nodeId)
  return target ? checkPath(place, { read, target }) : [missingTarget(node, read.nodeId, pathOf(node, read))]
}

/** Lists of the Entry do not stand for their first element: what a path through them finds, a run decides. */
function checkPath({ part, node, plans }: Place, { read, target }: { read: Read; target: CanvasNode }): CanvasIssue[] {
  if (isEntry(target)) return []
  const outputs = part.around?.node === target ? parsePassOutputs(target) : (plans.get(target)?.outputs ?? [])
  const found = findType(outputs, read.path)
  if (found.kind !== 'blocked') return []

  const below = found.below.join('.')
  const message = `"${read.path.join('.')}" of node "${target.title}" cannot be read: "${below}" is a list whose elements are no objects`
  return [nodeIssue(node, message, pathOf(node, read))]
}

/** Where the canvas has it, as far as the name of the input tells. */
function pathOf({ inputs }: CanvasNode, { input, at }: Read): string {
  if (at !== undefined) return at
  const parameters: unknown[] = Array.isArray(inputs.inputParameters) ? inputs.inputParameters : []
  const index = parameters.findIndex((parameter) => isRecord(parameter) && parameter.name === input)
  return index === -1 ? 'inputs' : `inputs.inputParameters[${index}].input`
}

/** Nodes that wait for each other would wait forever. What a body reads from outside, its loop or batch waits for. */
function checkOrder(parts: CanvasPart[], plans: Plans): CanvasIssue[] {
  const bodies = new Map(parts.map((part) => [part.around?.node, part]))
  return parts.flatMap((part) => {
    const reads = [...part.nodes.values()].flatMap((reader) =>
      [reader, ...(bodies.get(reader)?.nodes.values() ?? [])]
        .flatMap((node) => plans.get(node)?.reads ?? [])
        .filter(({ nodeId }) => part.nodes.has(nodeId) && nodeId !== reader.id)
        .map(({ nodeId }) => ({ from: nodeId, to: reader.id, reader })),
    )
    const lines = part.edges.filter(({ from, to }) => part.nodes.has(from) && part.nodes.has(to))
    return findCycles([...lines.map(({ from, to }) => ({ from, to, reader: undefined })), ...reads]).flatMap(({ from, to, reader }) =>
      reader ? [{ ...nodeIssue(reader, orderMessage(reader, part.nodes.get(from))), edge: { from, to } }] : [],
    )
  })
}

const orderMessage = (reader: CanvasNode, source: CanvasNode | undefined) =>
  `node "${reader.title}" reads from node "${source?.title ?? ''}", which waits for it: read from nodes that run before`
