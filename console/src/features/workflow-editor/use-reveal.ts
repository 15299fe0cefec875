import { useReactFlow } from '@xyflow/react'
import type { FlowNode } from './canvas-flow.ts'
import { HEAD_HEIGHT, NODE_WIDTH } from './canvas-shape.ts'

const LEAST_ZOOM = 0.6

/** Brings a node to the middle of the canvas, as soon as it is drawn. */
export function useReveal(): (nodeId: string) => void {
  const { getInternalNode, getZoom, setCenter } = useReactFlow<FlowNode>()
  return (nodeId) =>
    requestAnimationFrame(() => {
      const node = getInternalNode(nodeId)
      const at = node?.internals.positionAbsolute
      if (at)
        void setCenter(at.x + (node.data.body?.head.x ?? 0) + NODE_WIDTH / 2, at.y + HEAD_HEIGHT, { zoom: Math.max(LEAST_ZOOM, getZoom()) })
    })
}
