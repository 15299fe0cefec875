import { sealBotTools } from '../../src/bots/bot-tools.ts'
import type { BotToolSettings, ServerToolSettings } from '../../src/bots/bot-tools.ts'
import { saveModel } from '../../src/models/model-store.ts'
import { savePlugin } from '../../src/workflows/plugins/plugins.ts'
import { literal, params } from './canvas-builder.ts'
import type { NodeSketch } from './canvas-builder.ts'
import { ended } from './ended-chat.ts'
import { answers, calls, says } from './fake-provider.ts'
import { single } from './node-sketches.ts'
import { mcpTool, openapiTool } from './plugin-house.ts'
import type { Reply, TestApp } from './test-app.ts'
import { publish } from './workflow-app.ts'

/** Does what makes the server go to a user's URL, waits for its end, and answers what there is to be seen of it. */
export type UrlWay = (app: TestApp, url: string) => Promise<string>

/** All ways on which the server itself goes to a URL of a user. A new one needs a line here. */
export const urlWays: Record<string, UrlWay> = {
  'an HTTP node': (app, url) => runNode(app, 45, httpNode(url)),
  'a file that an HTTP node sends': (app, url) => runNode(app, 45, httpNode(app.provider.baseUrl, { method: 'PUT', fileUrl: url })),
  'a plugin node of OpenAPI': (app, url) => runPlugin(app, openapiTool(url, PATHS)),
  'a plugin node of MCP': (app, url) => runPlugin(app, mcpTool(url)),
  'an OpenAPI tool of an agent': (app, url) => askWithTool(app, openapiTool(url, PATHS)),
  'an MCP tool of an agent': (app, url) => askWithTool(app, mcpTool(url)),
  'the webhook of an agent': async (app, url) =>
    awaitWebhook(app, await ask(app, await app.makeBot(app.userId, { config: { webhookUrl: url } }))),
  'the callback_url of a chat': async (app, url) => awaitWebhook(app, await ask(app, app.botId, { callback_url: url })),
}

/** Ways on which a user's URL comes in and nobody here goes to it. */
export const urlWaysNotTaken: Record<string, UrlWay> = {
  'a picture in a message': (app, url) => askWithFile(app, 'image', url),
  'a file in a message': (app, url) => askWithFile(app, 'file', url),
  'the icon of an agent': async (app, url) => {
    const botId = await app.makeBot(app.userId, { profile: { iconUrl: url } })
    return (await app.call('GET', `/v1/bots/${botId}`)).text
  },
}

const PATHS = { '/': { get: { operationId: 'look', responses: {} } } }

type HttpNode = { method?: string; fileUrl?: string }

function httpNode(url: string, { method = 'GET', fileUrl }: HttpNode = {}): NodeSketch {
  const bodyData = fileUrl === undefined ? {} : { binary: { fileURL: literal(fileUrl, 'file') } }
  return {
    outputs: { body: 'string', statusCode: 'integer', headers: 'string' },
    inputs: {
      apiInfo: { method, url },
      ...{ headers: [], params: [], setting: { timeout: 5, retryTimes: 0 } },
      auth: { authType: 'BEARER_AUTH', authData: { bearerTokenData: params({ token: '' }) }, authOpen: false },
      body: { bodyType: fileUrl === undefined ? 'EMPTY' : 'BINARY', bodyData },
    },
  }
}

async function runNode(app: TestApp, type: number, node: NodeSketch): Promise<string> {
  const workflow_id = await publish(app, single(type, node))
  return (await app.call('POST', '/v1/workflow/run', { workflow_id, parameters: {} })).text
}

let plugins = 7000

/** What a workflow answers that calls its one operation, `look`. */
export async function runPlugin(app: TestApp, tool: ServerToolSettings): Promise<string> {
  const pluginID = String(++plugins)
  await savePlugin(app.core, { userId: app.userId }, { id: pluginID, tool, name: 'plugin', description: '', iconUrl: '' })
  const apiParam = params({ apiID: 'look', apiName: 'look', pluginID, pluginName: 'plugin', pluginVersion: '0', tips: '', outDocLink: '' })
  return runNode(app, 4, { inputs: { apiParam, pluginFrom: 'library' }, outputs: { output: 'string' } })
}

/** What a model is told of its one operation, `look`, the chat, and what is logged. */
export async function askWithTool(app: TestApp, tool: BotToolSettings): Promise<string> {
  app.provider.script = [answers([calls('look', {})]), says('so')]
  const botId = await app.makeBot(app.userId, { config: { tools: sealBotTools(app.core.secrets, [tool], []) } })
  const logged = app.logs.length
  const { text } = await ask(app, botId)
  return text + JSON.stringify(app.provider.lastRequest.body.messages) + app.logs.slice(logged).join('')
}

const ask = (app: TestApp, bot_id: string, more: object = {}): Promise<Reply> =>
  app.call('POST', '/v3/chat', { bot_id, query: 'hi', ...more })

/** What became of the chat's webhook after one attempt. */
async function awaitWebhook(app: TestApp, { status, text, body }: Reply): Promise<string> {
  if (status !== 200) return text
  const { db } = app.core
  for (let tries = 0; tries < 200; tries++) {
    const row = await db.selectFrom('webhook_delivery').selectAll().where('run_id', '=', body.data.id).executeTakeFirst()
    if (row && (row.status !== 'pending' || row.last_error !== '')) return JSON.stringify(row)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('no attempt was made')
}

/** Each vendor's model gets the URL as it is. */
async function askWithFile(app: TestApp, type: 'image' | 'file', file_url: string): Promise<string> {
  const seen: string[] = []
  for (const protocol of ['openai', 'anthropic', 'google'] as const) {
    const name = `for files ${protocol}`
    await saveModel(app.core, { name, protocol, baseUrl: app.provider.baseUrl, apiKey: 'key', providerModel: 'fake' })
    const bot_id = await app.makeBot(app.userId, { config: { model: name } })
    const content = JSON.stringify([
      { type: 'text', text: 'look' },
      { type, file_url },
    ])
    const additional_messages = [{ role: 'user', content, content_type: 'object_string' }]
    const { body, text } = await app.call('POST', '/v3/chat', { bot_id, user_id: 'u', stream: false, additional_messages })
    seen.push(text, JSON.stringify(await ended(app, body.data)))
  }
  return seen.join('')
}
