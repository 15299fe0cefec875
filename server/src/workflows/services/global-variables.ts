import type { VariableScope } from '../engine/graph.ts'
import type { Value } from '../values/value.ts'

/**
 * Variables of the app, the end user and the system, for one run. Stored values are texts. What is
 * written to the app's is seen by this run alone; the user's are kept. Methods reject with a NodeError.
 */
export interface GlobalVariables {
  /** In the type it is declared with. */
  read(scope: VariableScope, name: string): Promise<Value | undefined>
  write(scope: 'app' | 'user', name: string, value: Value): Promise<void>
}
