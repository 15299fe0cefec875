import { useReactFlow, useStoreApi } from '@xyflow/react'
import type { InternalNode, Viewport } from '@xyflow/react'
import { useEffect, useRef } from 'react'
import type { FlowNode } from './canvas-flow.ts'
import { HEAD_HEIGHT, NODE_WIDTH } from './canvas-shape.ts'

const MARGIN = 24

/**
 * A node that is chosen is not left behind the panel that opens beside it. The canvas moves no more than it must, and back when the panel
 * is closed, unless the person has moved it meanwhile.
 */
export function useKeepInView(nodeId: string | undefined): void {
  const { getInternalNode, getViewport, setViewport } = useReactFlow<FlowNode>()
  const flow = useStoreApi()
  const moved = useRef<{ from: Viewport; to: Viewport }>(undefined)

  useEffect(() => {
    const keep = () => {
      const node = nodeId === undefined ? undefined : getInternalNode(nodeId)
      const pane = flow.getState().domNode?.getBoundingClientRect()
      if (!node || !pane) return
      const now = getViewport()
      const to = withInView(now, node, pane)
      if (isSame(to, now)) return
      const origin = moved.current && isSame(moved.current.to, now) ? moved.current.from : undefined
      moved.current = { from: origin ?? now, to }
      void setViewport(to)
    }
    const goBack = () => {
      if (moved.current && isSame(moved.current.to, getViewport())) void setViewport(moved.current.from)
      moved.current = undefined
    }
    // by then the panel has taken its room, or given it back
    const frame = requestAnimationFrame(nodeId === undefined ? goBack : keep)
    return () => cancelAnimationFrame(frame)
  }, [nodeId, getInternalNode, getViewport, setViewport, flow])
}

const isSame = (one: Viewport, other: Viewport) => one.x === other.x && one.y === other.y && one.zoom === other.zoom

function withInView({ x, y, zoom }: Viewport, { data, internals }: InternalNode<FlowNode>, pane: DOMRect): Viewport {
  const at = internals.positionAbsolute
  const left = (at.x + (data.body?.head.x ?? 0)) * zoom + x
  const top = at.y * zoom + y
  const dx = distanceInto({ from: left, to: left + NODE_WIDTH * zoom }, pane.width)
  const dy = distanceInto({ from: top, to: top + HEAD_HEIGHT * zoom }, pane.height)
  return { x: x + dx, y: y + dy, zoom }
}

/** By how much a part must move to lie between the margins; what is larger than that shows its beginning. */
function distanceInto({ from, to }: { from: number; to: number }, room: number): number {
  if (from < MARGIN) return MARGIN - from
  const over = to - (room - MARGIN)
  return over > 0 ? -Math.min(over, from - MARGIN) : 0
}
