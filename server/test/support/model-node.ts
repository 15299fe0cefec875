import type { ModelMessage } from '../../src/models/model-adapter.ts'
import type { NodeServices, RunContext } from '../../src/workflows/engine/node-services.ts'
import type { NodeResult } from '../../src/workflows/engine/node-type.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { startOpenAiModel } from './openai-model.ts'
import type { Script } from './fake-provider.ts'

/** What a node that asks a model needs: a real adapter for every model, whose provider follows the script. */
export async function startModelServices(script: Script, more: Partial<NodeServices> & { history?: ModelMessage[] } = {}) {
  const { provider, adapter } = await startOpenAiModel(script)
  const { history = [], ...others } = more
  const modelTypes: string[] = []
  const services: Partial<NodeServices> = {
    context: runContext(),
    async getModel(modelType) {
      modelTypes.push(modelType)
      return adapter
    },
    getHistory: async (rounds) => history.slice(-2 * rounds),
    ...others,
  }
  return { provider, services, modelTypes }
}

export const runContext = (changes: Partial<RunContext> = {}): RunContext => ({
  who: { userId: '1' },
  runId: '1',
  workflowId: '1',
  endUser: 'anna',
  isChatflow: false,
  fileNames: new Map(),
  ...changes,
})

/** Outputs of a node that is done. */
export function outputsOf(result: NodeResult): ValueObject {
  if (result.kind !== 'done') throw new Error(`expected a node that is done, not ${result.kind}`)
  return result.outputs
}

export function streamingOf(result: NodeResult): NodeResult & { kind: 'streaming' } {
  if (result.kind !== 'streaming') throw new Error(`expected a node that streams, not ${result.kind}`)
  return result
}

export function waitingOf(result: NodeResult): NodeResult & { kind: 'waiting' } {
  if (result.kind !== 'waiting') throw new Error(`expected a node that waits, not ${result.kind}`)
  return result
}

/** The error that the work ends with. */
export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('expected an error')
    },
    (cause: unknown) => cause,
  )
}
