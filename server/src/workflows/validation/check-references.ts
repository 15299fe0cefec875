import { isRecord } from '../../lib/json-schema.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { isEntry } from '../canvas/prune-canvas.ts'
import { nodeIssue } from './canvas-issue.ts'
import type { CanvasIssue } from './canvas-issue.ts'
import type { CanvasPart } from './canvas-part.ts'

/** Parameters of nodes that the Entry leads to have proper names, and refer to nodes that the Entry leads to. */
export function checkReferences(parts: CanvasPart[]): CanvasIssue[] {
  const reachable = findReachable(parts)
  return parts.flatMap((part) => {
    const own = reachable.get(part)
    if (!own) return []
    const outer = part.around && reachable.get(part.around.part)
    const isThere = (nodeId: string) => own.has(nodeId) || (outer?.has(nodeId) ?? false)
    return [...part.nodes.values()].filter(({ id }) => own.has(id)).flatMap((node) => checkParameters(node, isThere))
  })
}

/** Ids by part; without the parts that nothing leads into. */
function findReachable(parts: CanvasPart[]): Map<CanvasPart, Set<string>> {
  const reachable = new Map<CanvasPart, Set<string>>()
  for (const part of parts) {
    const { nodes, around } = part
    const start = around ? around.node.id : [...nodes.values()].find(isEntry)?.id
    const isReached = !around || reachable.get(around.part)?.has(around.node.id)
    if (start !== undefined && isReached) reachable.set(part, spread(start, part))
  }
  return reachable
}

function spread(start: string, { edges }: CanvasPart): Set<string> {
  const targets = Map.groupBy(edges, ({ from }) => from)
  const reached = new Set([start])
  for (const id of reached) {
    for (const { to } of targets.get(id) ?? []) reached.add(to)
  }
  return reached
}

const properName = /^[A-Za-z_][A-Za-z0-9_]*$/

function checkParameters(node: CanvasNode, isThere: (nodeId: string) => boolean): CanvasIssue[] {
  const parameters: unknown[] = Array.isArray(node.inputs.inputParameters) ? node.inputs.inputParameters : []
  return parameters.flatMap((parameter, index) => {
    if (!isRecord(parameter)) return []
    const at = `inputs.inputParameters[${index}]`
    const name = typeof parameter.name === 'string' ? parameter.name : ''
    const badName = `parameter name only allows number or alphabet, and must begin with alphabet, but it's "${name}"`
    return [
      ...(parameter.input === undefined || properName.test(name) ? [] : [nodeIssue(node, badName, at)]),
      ...sides.flatMap((side) => checkTargets(node, referencesIn(parameter[side], `${at}.${side}`), isThere)),
    ]
  })
}

const sides = ['input', 'left', 'right'] as const

type Reference = { nodeId: string; at: string }

/** References to nodes in a value, objects of values included. */
function referencesIn(raw: unknown, at: string): Reference[] {
  if (!isRecord(raw) || !isRecord(raw.value)) return []
  if (raw.value.type === 'object_ref') {
    const fields: unknown[] = Array.isArray(raw.schema) ? raw.schema : []
    return fields.flatMap((field, index) => (isRecord(field) ? referencesIn(field.input, `${at}.schema[${index}].input`) : []))
  }
  const { content } = raw.value
  if (raw.value.type !== 'ref' || !isRecord(content) || content.source !== 'block-output') return []
  return [{ nodeId: typeof content.blockID === 'string' ? content.blockID : '', at }]
}

function checkTargets(node: CanvasNode, references: Reference[], isThere: (nodeId: string) => boolean): CanvasIssue[] {
  return references.flatMap(({ nodeId, at }) => (isThere(nodeId) ? [] : [missingTarget(node, nodeId, at)]))
}

export function missingTarget(node: CanvasNode, nodeId: string, path: string): CanvasIssue {
  if (nodeId === '') return nodeIssue(node, 'ref block error,[blockID] is empty', path)
  return nodeIssue(node, `the node id "${node.id}" on which node id "${nodeId}" depends does not exist`, path)
}
