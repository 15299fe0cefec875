import { useReactFlow } from '@xyflow/react'
import { HEAD_HEIGHT, NODE_WIDTH } from './canvas-shape.ts'

const LEAST_ZOOM = 0.6

/** Brings a node to the middle of the canvas, as soon as it is drawn. */
export function useReveal(): (nodeId: string) => void {
  const { getInternalNode, getZoom, setCenter } = useReactFlow()
  return (nodeId) =>
    requestAnimationFrame(() => {
      const at = getInternalNode(nodeId)?.internals.positionAbsolute
      if (at) void setCenter(at.x + NODE_WIDTH / 2, at.y + HEAD_HEIGHT, { zoom: Math.max(LEAST_ZOOM, getZoom()) })
    })
}
