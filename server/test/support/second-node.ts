import { pino } from 'pino'
import { createApp } from '../../src/app.ts'
import { openCore } from '../../src/core.ts'
import { freePort } from './free-port.ts'
import type { TestApp } from './test-app.ts'

/** Another server on the data of the first one, with the same users and keys. */
export type SecondNode = AsyncDisposable & { url: string; apiKey: string }

export async function startSecondNode({ core: { config }, apiKey }: TestApp): Promise<SecondNode> {
  const port = await freePort()
  const core = await openCore({ ...config, port }, { logger: pino({ level: 'silent' }) })
  const app = await createApp(core)
  await app.http.listen({ host: '127.0.0.1', port })
  return {
    ...{ url: `http://127.0.0.1:${port}`, apiKey },
    async [Symbol.asyncDispose]() {
      await app.close()
      await core.close()
    },
  }
}
