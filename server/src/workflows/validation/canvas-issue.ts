import type { CanvasNode } from '../canvas/canvas-document.ts'

/** Something in a canvas that keeps it from running, for its builder. */
export type CanvasIssue = {
  /** The node it is about, with its title; without one the issue is about the canvas. */
  nodeId?: string
  nodeTitle?: string
  /**
   * The edge it is about, in the direction in which it is drawn.
   * @NOTE what Coze calls the `start` of a path error is `to`, and its `end` is `from`
   */
  edge?: { from: string; to: string }
  /** From the node inwards, such as `inputs.inputParameters[0].input`. */
  path?: string
  message: string
}

export function nodeIssue(node: CanvasNode, message: string, path?: string): CanvasIssue {
  return { nodeId: node.id, nodeTitle: node.title, ...(path !== undefined && { path }), message }
}
