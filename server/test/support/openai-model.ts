import { onTestFinished } from 'vitest'
import { ModelError } from '../../src/models/model-adapter.ts'
import { createOpenAiAdapter } from '../../src/models/openai-adapter.ts'
import type { OpenAiAdapterOptions } from '../../src/models/openai-adapter.ts'
import { createProviderConnection } from '../../src/models/provider-connection.ts'
import { askModel } from './ask-model.ts'
import type { Question } from './ask-model.ts'
import { startFakeProvider } from './fake-provider.ts'
import type { Script } from './fake-provider.ts'

export const TEST_KEY = 'sk-secret-0123456789'

/** An OpenAI adapter whose provider follows the script; both are gone when the test is over. */
export async function startOpenAiModel(script: Script, options: Partial<OpenAiAdapterOptions> = {}) {
  const provider = await startFakeProvider(script)
  const connection = createProviderConnection({ connectMs: 2_000 })
  onTestFinished(async () => {
    await connection.close()
    await provider.close()
  })
  const adapter = createOpenAiAdapter({ baseUrl: provider.baseUrl, apiKey: TEST_KEY, model: 'm-1', connection, ...options })
  return { provider, adapter, ask: (question: Question = {}) => askModel(adapter, question) }
}

/** The ModelError that the work ends with. */
export async function modelFailure(work: Promise<unknown>): Promise<ModelError> {
  const cause = await work.then(
    () => 'no error',
    (error: unknown) => error,
  )
  if (!(cause instanceof ModelError)) throw new Error(`expected a ModelError, got ${String(cause)}`)
  return cause
}
