import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { appVariablesSchema } from '../../src/bots/app-store.ts'
import { saveApp } from '../../src/bots/apps.ts'
import { SECONDS } from '../support/chat-shapes.ts'
import { outputOf, runProgram } from '../support/child-program.ts'
import { findPrograms } from '../support/find-program.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** Not installed by CI: Debian has no package of it, and of what it needs only versions that are too old. */
const python = await findPythonWithSdk()

/** The official Python SDK, where a python3 of this machine has it. */
describe.skipIf(python === undefined).each(testDatabases())('cozepy on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('every call of the resources gives what the SDK can read, and every refusal is its CozeAPIError', async () => {
    const botId = await app.makeBot(app.userId, { config: { variables: [{ name: 'city', default: '北京' }] } })
    const variables = appVariablesSchema.parse([{ name: 'region', default: 'eu' }])
    await saveApp(
      app.core,
      { userId: app.userId },
      { id: '700001', name: 'shop', description: '', iconUrl: '', version: '1.0.0', variables, conversations: [] },
    )

    const env = { COZE_URL: app.url, COZE_TOKEN: app.apiKey, BOT_ID: botId, APP_ID: '700001', PYTHONDONTWRITEBYTECODE: '1' }
    const seen: Json = JSON.parse(await outputOf(python ?? '', [join(import.meta.dirname, 'cozepy-resources.py')], { env }))
    expect(seen).toMatchObject({ ...expectedResources(app.userId), ...expectedRefusals })
  })
})

const ID = expect.stringMatching(/^\d+$/)

function expectedResources(userId: string) {
  const shop = { id: '700001', name: 'shop', is_published: true, owner_user_id: userId, updated_at: SECONDS }
  const bot = { bot_id: ID, name: 'Made by cozepy', prompt_info: { prompt: 'You are kind' }, create_time: SECONDS }
  const message = { id: ID, role: 'user', type: 'question', content_type: 'text', meta_data: {}, created_at: SECONDS }
  return {
    'users.me': { user_id: userId, user_name: 'user1@example.com', nick_name: 'user1', avatar_url: '' },
    'workspaces.list': [{ id: userId, name: 'user1', role_type: 'owner', workspace_type: 'personal' }],
    'bots.create': { bot_id: ID },
    'bots.publish': { bot_id: ID, version: '1.0.0' },
    'bots.retrieve': {
      ...bot,
      description: '',
      version: '1.0.0',
      onboarding_info: { prologue: 'Hi', suggested_questions: ['Who are you?'] },
    },
    'bots.update': {},
    'bots.retrieve draft': { ...bot, description: 'second', version: '' },
    'bots.list': expect.arrayContaining([expect.objectContaining({ name: 'Made by cozepy', is_published: true })]),
    'bots.list all': expect.arrayContaining(['Made by cozepy', '客服助手']),
    'bots.unpublish': {},
    'messages.create': { ...message, content: 'hello' },
    'messages.retrieve': { ...message, content: 'hello' },
    'messages.update': { ...message, content: 'hello again' },
    'messages.list': [{ ...message, content: 'hello again' }],
    'messages.delete': { ...message, content: 'hello again' },
    'messages.list empty': [],
    'feedback.create': {},
    'feedback.delete': {},
    'variables.update': {},
    'variables.retrieve': [{ keyword: 'city', value: 'Paris', create_time: SECONDS, update_time: SECONDS }],
    'variables.retrieve all': [{ keyword: 'city', value: 'Paris' }],
    'variables.update app': {},
    'apps.list': [shop],
  }
}

const logid = expect.stringMatching(/^req_\d+$/)
const expectedRefusals = {
  'no key': { code: 401, msg: 'api key invalid', logid },
  'no bot': { code: 404, msg: 'bot not found or not published', logid },
  'no message': { code: 404, msg: 'conversation not found', logid },
  'no name': { code: 422, msg: 'name: must not be empty', logid },
  'no variable': { code: 422, msg: 'data: the bot has no variable named "nonsense"', logid },
}

async function findPythonWithSdk(): Promise<string | undefined> {
  for (const program of findPrograms('python3')) {
    const { exitCode } = await runProgram(program, ['-c', 'import cozepy'])
    if (exitCode === 0) return program
  }
  return undefined
}
