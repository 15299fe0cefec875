import { appVariablesSchema } from '../../src/bots/app-store.ts'
import { saveApp } from '../../src/bots/apps.ts'
import { answers, calls, says } from './fake-provider.ts'
import type { Json, TestApp } from './test-app.ts'
import { asking, publish } from './workflow-app.ts'

/** What a user has, by the name that a parameter of the API has. */
export type Ids = Record<string, string>

export type SettledUser = {
  userId: string
  apiKey: string
  /** In all the user's texts and names, so that one of them is known wherever it turns up. */
  mark: string
  /** New for each call. */
  appId: string
}

/** Gives a user one of everything. The provider says something with the mark from then on. */
export async function settle(app: TestApp, { userId, apiKey, mark, appId }: SettledUser): Promise<Ids> {
  const as = { apiKey }
  app.provider.script = says(`answer ${mark}`)
  const config = { prompt: mark, variables: [{ name: 'city', default: mark }], tools: [{ type: 'function' as const, name: 'clock' }] }
  const botId = await app.makeBot(userId, { config, profile: { name: mark, description: mark } })
  const variables = appVariablesSchema.parse([{ name: 'city', default: mark }])
  const faces = { name: mark, description: mark, iconUrl: '', version: '1.0.0', conversations: [] }
  await saveApp(app.core, { userId }, { id: appId, ...faces, variables })

  const chat = (await app.call('POST', '/v3/chat', { bot_id: botId, query: `question ${mark}`, meta_data: { of: mark } }, as)).body
  const form = new FormData()
  form.append('file', new Blob([mark]), `${mark}.txt`)
  const file = (await app.call('POST', '/v1/files/upload', form, as)).body.data
  app.provider.script = answers([calls('clock', { of: mark }, 'call_1')])
  const waiting = (await app.call('POST', '/v3/chat', { bot_id: botId, query: 'time?' }, as)).body.data
  app.provider.script = says(`answer ${mark}`)
  const { keyId } = await app.makeKey(userId)
  const otherKey = await app.makeKey(userId)
  const feedback = `/v1/conversations/${chat.conversation_id}/messages/${chat.message.id}/feedback`
  await app.call('POST', feedback, { feedback_type: 'like' }, as)
  const workflow = await publish(app, asking(), { name: mark, userId })
  const parameters = { USER_INPUT: mark }
  const asked = (await app.call('POST', '/v1/workflow/run', { workflow_id: workflow, parameters }, as)).body
  const nodes = (await app.call('GET', `/v1/workflows/${workflow}/run_histories/${asked.execute_id}/execute_nodes`, undefined, as)).body
    .data
  const kept = { bot_id: botId, connector_uid: 'u1', data: [{ keyword: 'city', value: mark }] }
  await app.call('PUT', '/v1/variables', kept, as)

  return {
    ...{ bot_id: botId, app_id: appId, conversation_id: chat.conversation_id, chat_id: chat.data.id, message_id: chat.message.id },
    ...{ file_id: file.id, id: keyId, key_id: otherKey.keyId, workspace_id: userId, space_id: userId, model: botId, waiting: waiting.id },
    waiting_conversation: waiting.conversation_id,
    ...{ workflow_id: workflow, execute_id: asked.execute_id, event_id: asked.interrupt_data.event_id },
    node_execute_uuid: nodes[0].node_execute_uuid,
  }
}

/** Bodies that a schema alone does not give. */
export const knownBodies = (ids: Ids): Record<string, Json> => ({
  'POST /v3/chat': { bot_id: ids['bot_id'], query: 'hi' },
  'POST /v3/chat/submit_tool_outputs': { tool_outputs: [{ tool_call_id: 'call_1', output: 'ten' }] },
  'POST /v1/conversation/create': { bot_id: ids['bot_id'] },
  'PUT /v1/conversations/{conversation_id}': { name: 'mine now' },
  'POST /v1/conversation/message/list': {},
  'POST /v1/conversation/message/create': { role: 'user', content: 'x', content_type: 'text' },
  'POST /v1/conversation/message/modify': { content: 'changed', content_type: 'text' },
  'POST /v1/conversations/{conversation_id}/messages/{message_id}/feedback': { feedback_type: 'unlike' },
  'POST /v1/bot/update': { bot_id: ids['bot_id'], name: 'mine now' },
  'POST /v1/bot/publish': { bot_id: ids['bot_id'], connector_ids: ['1024'] },
  'PUT /v1/variables': { bot_id: ids['bot_id'], connector_uid: 'u1', data: [{ keyword: 'city', value: 'changed' }] },
  'POST /v1/chat/completions': { model: ids['bot_id'], messages: [{ role: 'user', content: 'hi' }] },
  'POST /v1/workflow/run': { workflow_id: ids['workflow_id'], parameters: { USER_INPUT: 'hi' } },
  'POST /v1/workflow/stream_run': { workflow_id: ids['workflow_id'], parameters: { USER_INPUT: 'hi' } },
  'POST /v1/workflow/stream_resume': { workflow_id: ids['workflow_id'], event_id: ids['event_id'], resume_data: 'x' },
  'POST /v1/workflows/chat': { workflow_id: ids['workflow_id'], query: 'hi' },
  'POST /v1/workflow/conversation/create': { app_id: ids['app_id'], conversation_name: 'Default' },
  'POST /v1/tokens': { bot_id: ids['bot_id'], user_id: 'u1', origins: ['https://shop.example'] },
  'PATCH /v1/api_keys/{key_id}': { name: 'mine now' },
  'POST /v1/api_keys/{key_id}/rotate': {},
  'POST /api/permission_api/pat/rotate_personal_access_token': { id: ids['id'] },
  'POST /api/permission_api/pat/update_personal_access_token_and_permission': { id: ids['id'], name: 'mine now' },
})
