import { Background, Controls, MarkerType, MiniMap, ReactFlow, applyEdgeChanges, applyNodeChanges } from '@xyflow/react'
import type { Connection, EdgeChange, NodeChange } from '@xyflow/react'
import '@xyflow/react/dist/style.css'
import { App } from 'antd'
import { useMemo, useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { useIsDark } from '../../lib/theme-mode.ts'
import { toFlow } from './canvas-flow.ts'
import type { Flow, FlowEdge, FlowNode } from './canvas-flow.ts'
import { moveNodes, removeParts } from './canvas-edits.ts'
import type { Point } from './canvas-model.ts'
import { connectNodes, mayConnect } from './connect-nodes.ts'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import styles from './flow-canvas.module.css'
import { flowNodeTypes } from './flow-nodes.tsx'
import type { NodeMark } from './test-run-marks.ts'
import { useKeepInView } from './use-keep-in-view.ts'
import { usePortNaming } from './use-port-naming.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

const MANY = 60
const EDGE = { markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 } }
const FIT = { padding: 0.15, maxZoom: 1 }

export function FlowCanvas({ marks }: { marks: ReadonlyMap<string, NodeMark> }) {
  const t = useTexts(workflowEditorTexts)
  const { message } = App.useApp()
  const { store, types, issues, selectedId, select } = useEditorRoom()
  const isDark = useIsDark()
  const naming = usePortNaming()
  const canvas = useEditorState((state) => state.canvas)
  const flow = useMemo(() => toFlow({ canvas, types, issues, marks, naming }), [canvas, types, issues, marks, naming])
  const { nodes, edges, changeNodes, changeEdges } = useDrawn(flow, selectedId)
  useKeepInView(selectedId)

  const onNodesChange = (changes: NodeChange<FlowNode>[]) => {
    const [chosen] = changes.flatMap((change) => (change.type === 'select' && change.selected ? [change.id] : []))
    if (chosen !== undefined) select(chosen)
    const moved = movesIn(changes, flow)
    if (moved.size > 0) store.edit((before) => moveNodes(before, moved), 'move')
    changeNodes(changes)
  }
  const onConnect = (connection: Connection) => {
    if (mayConnect(canvas, connection)) store.edit((before) => connectNodes(before, connection))
    else void message.info(t('connect_failed'))
  }
  const onDelete = (gone: { nodes: FlowNode[]; edges: FlowEdge[] }) => {
    const nodeIds = new Set(gone.nodes.map(({ id }) => id))
    const ends = gone.edges.flatMap(({ data }) => (data ? [data.ends] : []))
    store.edit((before) => removeParts(before, { nodeIds, edges: ends }))
    if (selectedId !== undefined && nodeIds.has(selectedId)) select(undefined)
  }

  return (
    <ReactFlow<FlowNode, FlowEdge>
      className={styles.canvas}
      aria-label={t('canvas')}
      nodes={nodes}
      edges={edges}
      nodeTypes={flowNodeTypes}
      onNodesChange={onNodesChange}
      onEdgesChange={changeEdges}
      onConnect={onConnect}
      onDelete={onDelete}
      onPaneClick={() => select(undefined)}
      // whoever moves a node does not want to see its settings
      selectNodesOnDrag={false}
      deleteKeyCode={['Delete', 'Backspace']}
      onlyRenderVisibleElements={nodes.length > MANY}
      elevateNodesOnSelect={false}
      colorMode={isDark ? 'dark' : 'light'}
      minZoom={0.05}
      fitView
      fitViewOptions={FIT}
      defaultEdgeOptions={EDGE}
      proOptions={{ hideAttribution: true }}
    >
      <Background gap={20} />
      <Controls showInteractive={false} fitViewOptions={FIT} />
      {nodes.length > 12 && <MiniMap pannable zoomable ariaLabel={null} className={styles.map} />}
    </ReactFlow>
  )
}

/** What React Flow is given: the canvas, and on top of it what is only seen, such as a node that is being dragged. */
function useDrawn(flow: Flow, selectedId: string | undefined) {
  const [drawn, setDrawn] = useState(() => ({ flow, selectedId, nodes: flow.nodes, edges: flow.edges }))

  // in the same pass: a canvas that has changed is never drawn with nodes of before
  if (drawn.flow !== flow || drawn.selectedId !== selectedId) {
    const before = new Map(drawn.nodes.map((node) => [node.id, node]))
    // several nodes may be selected here: only a choice made elsewhere replaces them
    const isOther = drawn.selectedId !== selectedId && !(selectedId !== undefined && before.get(selectedId)?.selected)
    const nodes = flow.nodes.map((node) => {
      const old = before.get(node.id)
      const selected = isOther ? node.id === selectedId : (old?.selected ?? false)
      return old || selected ? { ...node, selected, measured: old?.measured } : node
    })
    setDrawn({ flow, selectedId, nodes, edges: flow.edges })
  }

  return {
    nodes: drawn.nodes,
    edges: drawn.edges,
    changeNodes: (changes: NodeChange<FlowNode>[]) =>
      setDrawn((now) => ({ ...now, nodes: applyNodeChanges(changes.filter(isSeenOnly), now.nodes) })),
    changeEdges: (changes: EdgeChange<FlowEdge>[]) =>
      setDrawn((now) => ({ ...now, edges: applyEdgeChanges(changes.filter(isSeenOnly), now.edges) })),
  }
}

/** What is removed is removed from the canvas; the drawing follows. */
const isSeenOnly = ({ type }: { type: string }) => type !== 'remove'

/** Where nodes were put down, as the canvas has it. */
function movesIn(changes: NodeChange<FlowNode>[], { shifts }: Flow): Map<string, Point> {
  const moves = new Map<string, Point>()
  for (const change of changes) {
    if (change.type !== 'position' || change.dragging || !change.position) continue
    const { x, y } = shifts.get(change.id) ?? { x: 0, y: 0 }
    moves.set(change.id, { x: Math.round(change.position.x - x), y: Math.round(change.position.y - y) })
  }
  return moves
}
