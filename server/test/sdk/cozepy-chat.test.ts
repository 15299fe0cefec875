import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { outputOf } from '../support/child-program.ts'
import { answers, calls, hang, says } from '../support/fake-provider.ts'
import type { ReceivedRequest } from '../support/fake-provider.ts'
import { findCozepy } from '../support/find-cozepy.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const python = await findCozepy()

/** The official Python SDK, where a python3 of this machine has it. */
describe.skipIf(python === undefined).each(testDatabases())('chats of cozepy on $name', ({ name }) => {
  const app = useTestApp({ database: name, script: answer })

  test('every call of the chats gives what the SDK can read', async () => {
    const toolBot = await app.makeBot(app.userId, { config: { tools: [{ type: 'function', name: 'clock' }] } })
    const env = { COZE_URL: app.url, COZE_TOKEN: app.apiKey, BOT_ID: app.botId, TOOL_BOT_ID: toolBot, PYTHONDONTWRITEBYTECODE: '1' }
    const seen: Json = JSON.parse(await outputOf(python ?? '', [join(import.meta.dirname, 'cozepy-chat.py')], { env }))
    expect(seen).toEqual({
      'chat.create': ['in_progress', app.botId, { order: '7' }],
      'chat.create_and_poll': ['completed', [['answer', 'Hello there']]],
      'chat.retrieve': 'completed',
      'chat.messages.list': ['Hello there'],
      'chat.stream': [
        ['conversation.chat.created', 'conversation.chat.in_progress'],
        ['conversation.chat.completed'],
        ...['Hello there', 'completed', 2],
      ],
      requires_action: ['requires_action', [['call_1', 'clock', '{}']]],
      'chat.submit_tool_outputs': ['It is ten', 'completed'],
      'chat.cancel': true,
      'conversations.retrieve': true,
      'conversations.list': true,
      'conversations.update': 'new',
      'conversations.clear': true,
      'messages.list': ['hello'],
      'files.upload': [7, 'notes.txt'],
      'files.retrieve': true,
      'bots.retrieve': app.botId,
      'no chat': [404, 'chat not found'],
    })
  })
})

function answer({ lastUserText, body }: ReceivedRequest) {
  if (lastUserText === 'for ever') return answers([hang()])
  if (lastUserText !== 'time?') return says('Hello', ' there')
  return body.messages.at(-1)?.role === 'tool' ? says('It is ', 'ten') : answers([calls('clock', {}, 'call_1')])
}
