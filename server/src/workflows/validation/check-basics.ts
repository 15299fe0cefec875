import { MAX_NODES } from '../canvas/canvas-document.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { isEntry, isExit } from '../canvas/prune-canvas.ts'
import type { NodeTypes } from '../engine/compile-graph.ts'
import { nodeIssue } from './canvas-issue.ts'
import type { CanvasIssue } from './canvas-issue.ts'
import type { CanvasPart } from './canvas-part.ts'

/** What every canvas must have before anything else about it makes sense. The first part is the outer graph. */
export function checkBasics(parts: CanvasPart[], types: NodeTypes): CanvasIssue[] {
  const count = parts.reduce((sum, { nodes }) => sum + nodes.size, 0)
  if (count > MAX_NODES) return [{ message: `the canvas has ${count} nodes: at most ${MAX_NODES} are taken` }]

  const nodes = parts.flatMap((part) => [...part.nodes.values()])
  return [
    ...checkEnd(parts, { name: 'Entry', id: '100001', type: '1', is: isEntry }),
    ...checkEnd(parts, { name: 'Exit', id: '900001', type: '2', is: isExit }),
    ...nodes.flatMap((node) => checkType(node, types)),
    ...parts.flatMap(checkEdges),
  ]
}

type End = { name: string; id: string; type: string; is: (node: CanvasNode) => boolean }

function checkEnd(parts: CanvasPart[], end: End): CanvasIssue[] {
  const [found, ...others] = parts.flatMap((part) => [...part.nodes.values()]).filter(end.is)
  if (!found)
    return [{ message: `the canvas has no ${end.name} node: it must have one, of the type ${end.type} and with the id ${end.id}` }]

  const misplaced = [found, ...others].filter(({ id }) => !parts[0]?.nodes.has(id))
  return [
    ...others.map((node) => nodeIssue(node, `the canvas has more than one ${end.name} node: keep one`)),
    ...misplaced.map((node) => nodeIssue(node, `the ${end.name} node is in the body of a loop or batch: move it out`)),
    ...(found.id === end.id ? [] : [nodeIssue(found, `the ${end.name} node must have the id ${end.id}, not ${found.id}`)]),
  ]
}

const COMMENT = '31'

const hostedOnly = new Map([
  ['11', 'Variable'],
  ['14', 'Imageflow'],
  ['16', 'ImageGenerate'],
  ['17', 'ImageReference'],
  ['23', 'ImageCanvas'],
  ['24', 'SceneVariable'],
  ['25', 'SceneChat'],
  ['26', 'LTM'],
  ['34', 'TriggerUpsert'],
  ['35', 'TriggerDelete'],
  ['36', 'TriggerRead'],
])

function checkType(node: CanvasNode, types: NodeTypes): CanvasIssue[] {
  if (types.has(node.type) || node.type === COMMENT) return []
  const name = hostedOnly.get(node.type)
  const what = name
    ? `node "${node.title}" is of the type ${node.type} (${name}), which exists only in hosted Coze and cannot run here: replace it`
    : `node "${node.title}" is of the type ${node.type}, which is not known: replace it`
  return [nodeIssue(node, what, 'type')]
}

function checkEdges({ nodes, edges, around }: CanvasPart): CanvasIssue[] {
  return edges.flatMap(({ from, to }) => {
    const missing = [from, to].find((id) => !nodes.has(id) && id !== around?.node.id)
    if (missing !== undefined)
      return [{ edge: { from, to }, message: `an edge leads from "${from}" to "${to}", but there is no node "${missing}" here` }]

    const [source, target] = [nodes.get(from), nodes.get(to)]
    const comment = [source, target].find((node) => node?.type === COMMENT)
    if (comment) return [{ ...nodeIssue(comment, 'a comment is not run: remove the edges at it'), edge: { from, to } }]
    if (target && isEntry(target)) return [{ ...nodeIssue(target, 'no edge may lead to the Entry node'), edge: { from, to } }]
    if (source && isExit(source)) return [{ ...nodeIssue(source, 'no edge may leave the Exit node'), edge: { from, to } }]
    return []
  })
}
