// Adapter for the bench kit that compares servers of this kind: put it into the kit's targets/ and set COZE_PLUS_DIR, see bench/README.md.
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

const cli = resolve(process.env.COZE_PLUS_DIR ?? '.', 'server/bin/coze-plus.js')
const owner = 'admin@example.com'
const auth = (state) => ({ authorization: `Bearer ${state.key}` })

const settings = (ctx) => ({
  PORT: ctx.port,
  DATA_DIR: `${ctx.home}/data`,
  LOG_LEVEL: 'info',
  DRAIN_SECONDS: 1,
  OPENAI_API_KEY: 'bench',
  OPENAI_BASE_URL: `${ctx.upstream}/v1`,
  OPENAI_MODEL: 'bench',
})

const serve = (ctx) => ctx.spawn(ctx.node, [cli, 'serve'], { env: settings(ctx) })

const manifest = (ctx) => ({
  models: [{ name: 'bench', protocol: 'openai', base_url: `${ctx.upstream}/v1`, api_key: 'bench', model: 'bench' }],
  bots: [{ id: 123456, owner, name: 'bench', prompt: 'You are a helpful assistant.', model: 'bench', publish: { version: 'bench' } }],
})

export default {
  name: 'coze-plus',
  node: 24,

  async prepare(ctx) {
    rmSync(`${ctx.home}/data`, { recursive: true, force: true })
    await serve(ctx)
    await ctx.until(() => fetch(`http://127.0.0.1:${ctx.port}/`), 'the server')

    writeFileSync(`${ctx.home}/bench.yaml`, JSON.stringify(manifest(ctx)))
    const run = (...args) => execFileSync(ctx.node, [cli, ...args], { env: { ...process.env, ...settings(ctx) }, encoding: 'utf8' })
    run('apply', '-f', `${ctx.home}/bench.yaml`)
    return { key: JSON.parse(run('keys', 'create', '--email', owner, '--name', 'bench', '--json')).api_key }
  },

  start: serve,
  chat: (state, { stream }) => ({
    method: 'POST',
    path: '/v3/chat',
    headers: { 'content-type': 'application/json', ...auth(state) },
    body: JSON.stringify({ bot_id: '123456', user_id: 'bench', query: 'Hello, please introduce your features.', stream }),
  }),
  delta: (event, data) => (event === 'conversation.message.delta' ? JSON.parse(data).content : null),
  text: (body) => JSON.parse(body).message.content,
  read: (state) => ({ path: '/v1/bots/123456', headers: auth(state) }),
}
