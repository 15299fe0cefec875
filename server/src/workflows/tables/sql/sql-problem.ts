import { NodeError, nodeErrors } from '../../engine/node-error.ts'

/** SQL of a builder that is not run, and why. */
export const sqlProblem = (message: string): NodeError => new NodeError(nodeErrors.executionFailed, `the SQL cannot be run: ${message}`)
