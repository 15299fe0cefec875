import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../guide/nginx-clients.ts'
import { drawCanvas, params, ref } from '../support/canvas-builder.ts'
import type { CanvasJson } from '../support/canvas-builder.ts'
import { answers, wait } from '../support/fake-provider.ts'
import type { ReceivedRequest } from '../support/fake-provider.ts'
import { STARTS_MS, cannotRunCluster, startNodeCluster } from '../support/node-cluster.ts'
import type { NodeCluster } from '../support/node-cluster.ts'
import { chatPath, openChat } from '../support/resumed-stream.ts'
import { deltaText, eventNames, parseFrames } from '../support/sse-frames.ts'

const CLIENTS = 6
const WORKFLOW_ID = '7300000000000000001'
const STEPS = 4

/** Workflows take a while, chats as long as they say. */
function script({ lastUserText }: ReceivedRequest): ReturnType<typeof answers> {
  if (lastUserText.startsWith('step')) return answers([wait(800), `${lastUserText}.`])
  if (lastUserText === 'hi') return answers(['so ', 'far ', wait(60_000), 'never'])
  return answers(['a ', wait(150), 'b ', wait(150), 'c'])
}

describe.skipIf(cannotRunCluster())('three nodes that come and go', () => {
  let cluster: NodeCluster
  beforeAll(async () => {
    cluster = await startNodeCluster(script, { third: true })
    await applyWorkflow(cluster)
    return () => cluster[Symbol.asyncDispose]()
  }, STARTS_MS)

  test('a rolling restart under load fails no request', { timeout: 60_000 }, async () => {
    const load = startLoad(cluster)
    for (const node of cluster.nodes) {
      await sleep(1_000)
      expect(await node.stop()).toMatchObject({ exitCode: 0 })
      await node.start()
    }
    await sleep(1_000)
    const { done, failures } = await load.stop()

    console.info(`${done} requests during a rolling restart, ${failures.length} failed`)
    expect(failures).toEqual([])
    expect(done).toBeGreaterThan(20)
  })

  test('of a node that is killed, chats end as failed with what they had said, and workflows go on', { timeout: 60_000 }, async () => {
    const [one, two] = cluster.nodes
    const streams = await Promise.all(Array.from({ length: 4 }, () => openChat(one, 'guide')))
    await Promise.all(streams.map((stream) => stream.until((frames) => deltaText(frames) === 'so far ')))
    const started = await Promise.all(Array.from({ length: 4 }, () => startRun(cluster)))
    const load = startLoad(cluster)
    // what is said is stored, and all nodes execute workflows
    await sleep(1_000)
    await one.kill()
    const killedAt = performance.now()
    await Promise.all(streams.map((stream) => stream.ended.catch(() => undefined)))

    const chats = streams.map((stream) => stream.frames[0]?.data)
    const statusOf = async (chat: unknown) => (await two.call('GET', chatPath(chat, '/v3/chat/retrieve'))).body.data.status
    for (const chat of chats) await expect.poll(() => statusOf(chat), { timeout: 17_000, interval: 200 }).toBe('failed')
    console.info(`chats of a killed node end after ${Math.round(performance.now() - killedAt)} ms`)
    for (const chat of chats) {
      const messages = (await two.call('GET', chatPath(chat, '/v3/chat/message/list'))).body.data
      expect(messages).toEqual([expect.objectContaining({ content: 'so far ', meta_data: { incomplete: 'failed' } })])
    }
    for (const runId of started) await expect.poll(() => runStatus(cluster, runId), { timeout: 20_000, interval: 200 }).toBe('Success')
    const { done, failures } = await load.stop()
    console.info(`${done} requests around the death of a node, ${failures.length} failed`)
    // what it was answering at that moment, and nothing after it
    expect(failures.length).toBeLessThanOrEqual(CLIENTS)
    expect(done).toBeGreaterThan(100)
    await one.start()
    expect((await one.call('POST', '/v3/chat', { bot_id: 123456, query: 'x' })).body.message.content).toBe('a b c')
  })
})

type Load = { stop(): Promise<{ done: number; failures: string[] }> }

/** Clients that ask again and again, streamed and whole, as clients do: by name, on connections that they keep. */
function startLoad({ front, apiKey }: NodeCluster): Load {
  const failures: string[] = []
  let done = 0
  let isOver = false

  async function work(client: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let turn = 0; !isOver; turn++) {
      const stream = (client + turn) % 2 === 0
      const reply = await ask(front, { path: '/v3/chat', secret: apiKey, body: { bot_id: 123456, query: 'load', stream } }, agent).catch(
        String,
      )
      done++
      const problem = typeof reply === 'string' ? reply : findProblem(reply, stream)
      if (problem !== undefined) failures.push(problem)
    }
    agent.destroy()
  }

  const working = Promise.all(Array.from({ length: CLIENTS }, (_, client) => work(client)))
  return {
    async stop() {
      isOver = true
      await working
      return { done, failures }
    },
  }
}

function findProblem({ status, text }: { status: number; text: string }, isStream: boolean): string | undefined {
  if (status !== 200) return `${status} ${text}`
  if (!isStream) return JSON.parse(text).message.content === 'a b c' ? undefined : text
  const frames = parseFrames(text)
  return deltaText(frames) === 'a b c' && eventNames(frames).at(-1) === 'done' ? undefined : text
}

/** A line of models, each of which hears what the one before has said. */
function modelLine(): CanvasJson {
  const drawing = drawCanvas().entry({ text: 'string' })
  const ids = Array.from({ length: STEPS }, (_, at) => String(201 + at))
  for (const [at, id] of ids.entries()) {
    drawing.node(id, 3, {
      params: { text: ref(at === 0 ? 'entry.text' : `${ids[at - 1] ?? ''}.output`) },
      inputs: { llmParam: params({ modelType: '1', prompt: '{{text}}', systemPrompt: '', temperature: '0.5', responseFormat: '0' }) },
      outputs: { output: 'string' },
    })
  }
  return drawing
    .exit({ text: ref(`${ids.at(-1) ?? ''}.output`) })
    .edges(`entry > ${ids.join(' > ')} > exit`)
    .build()
}

async function applyWorkflow(cluster: NodeCluster): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-manifest-'))
  const file = join(dir, 'workflows.json')
  const workflow = { id: WORKFLOW_ID, name: 'line', canvas: modelLine(), publish: { version: 'v1.0.0' } }
  await writeFile(file, JSON.stringify({ workflows: [workflow] }))
  await cluster.command('apply', '-f', file)
  await rm(dir, { recursive: true, force: true })
}

async function startRun({ nodes: [one] }: NodeCluster): Promise<string> {
  const request = { workflow_id: WORKFLOW_ID, parameters: { text: 'step' }, is_async: true }
  return String((await one.call('POST', '/v1/workflow/run', request)).body.execute_id)
}

async function runStatus({ nodes: [, two] }: NodeCluster, runId: string): Promise<string> {
  const { body } = await two.call('GET', `/v1/workflows/${WORKFLOW_ID}/run_histories/${runId}`)
  return body.data?.[0]?.execute_status ?? body.msg
}
