/** A canvas that cannot be read: where, and what is wrong. */
export class CanvasProblem extends Error {
  /** From the node inwards, such as `inputs.branches[0].condition`. */
  readonly path: string
  /** Empty when it is not about a node. */
  nodeId = ''

  constructor(path: string, message: string) {
    super(message)
    this.name = 'CanvasProblem'
    this.path = path
  }
}
