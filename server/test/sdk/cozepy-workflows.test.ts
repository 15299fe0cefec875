import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { outputOf } from '../support/child-program.ts'
import { says } from '../support/fake-provider.ts'
import { findCozepy } from '../support/find-cozepy.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, brackets, publish, reading, speaking, useProvider } from '../support/workflow-app.ts'

const python = await findCozepy()

/** The official Python SDK, where a python3 of this machine has it. */
describe.skipIf(python === undefined).each(testDatabases())('workflows of cozepy on $name', ({ name }) => {
  const app = useTestApp({ database: name, script: says('Hello', ' there') })

  test('every call of the workflows gives what the SDK can read', async () => {
    await useProvider(app)
    const workflows = {
      BRACKETS: await publish(app, brackets(), { name: 'brackets' }),
      ASKING: await publish(app, asking(), { mode: 'chatflow' }),
      SPEAKING: await publish(app, speaking()),
      READING: await publish(app, reading()),
    }
    const env = { COZE_URL: app.url, COZE_TOKEN: app.apiKey, PYTHONDONTWRITEBYTECODE: '1', ...workflows }
    const seen: Json = JSON.parse(await outputOf(python ?? '', [join(import.meta.dirname, 'cozepy-workflows.py')], { env }))
    const output = '{"said":"\\u003chi\\u003e","times":1}'
    expect(seen).toEqual({
      'runs.create': [output, true],
      'run_histories.retrieve': ['Success', output, 'ada', 0],
      'execute_nodes.retrieve': [true, '{"output":"<hi>"}'],
      'runs.stream': [
        ['About cats: ', 'Hello', ' there'],
        [0, 1, 2],
      ],
      interrupt: ['place', 2],
      'runs.resume': [['trip: Rome, 3 km'], 0],
      error: 720701013,
      'chat.stream': ['Where to?', 'requires_action', 'conversation.chat.created', 'conversation.chat.requires_action'],
      'chat answered': ['How far?', 'trip: Rome, 3 km', 'completed'],
      'workflows.list': true,
      'workflows.retrieve': 'brackets',
      'versions.list': ['v0.0.1'],
      'no workflow': [404, 'workflow not found'],
      'bad parameters': [4000, 'parameters.word is required'],
      failed: 720701013,
      waits: 6039,
    })
  })
})
