import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/database.ts'
import { drawCanvas, params, ref } from '../support/canvas-builder.ts'
import type { CanvasJson } from '../support/canvas-builder.ts'
import { answers, startFakeProvider, wait } from '../support/fake-provider.ts'
import type { FakeProvider } from '../support/fake-provider.ts'
import { startKillableServer } from '../support/killable-server.ts'
import type { KillableServer } from '../support/killable-server.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { testDatabases } from '../support/test-databases.ts'

/**
 * Promise 3, for workflows: a run outlives `kill -9` of its server. A run of 20 nodes, every second one
 * a model, is killed again and again until it is through; its result is that of a run nobody killed,
 * and no model whose answer was stored is asked a second time.
 */
const KILLS = Number(process.env['KILLS'] ?? 10)
const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)
const WORKFLOW_ID = '7300000000000000001'
const STEPS = 9
const MODEL_MS = 60
const ROUND_MS = 15_000

describe.each(testDatabases())('a server that is killed while a workflow runs, on $name', ({ name }) => {
  const kills = name === 'SQLite' ? KILLS : Math.max(2, Math.floor(KILLS / 5))
  test(`goes on with it from its last finished nodes, ${kills} times`, { timeout: kills * ROUND_MS + 60_000 }, async () => {
    await using provider = await startFakeProvider(({ lastUserText }) => answers([`<${lastUserText}>`, wait(MODEL_MS)]))
    await using server = await startKillableServer(provider, name)
    await applyWorkflow(server)
    const wanted = await result(server, await startRun(server, 'x'))
    expect(wanted).toContain('8\\u003c7')

    const random = seededRandom(SEED)
    const counts = { runs: 0, kills: 0, repeated: 0 }
    while (counts.kills < kills) {
      provider.requests.length = 0
      counts.runs++
      const runId = await startRun(server, 'x')
      // each life of the run is killed at some point of what is left of it
      for (let life = 0; life < 4 && counts.kills < kills; life++) {
        await sleep(random() * STEPS * MODEL_MS)
        await server.kill()
        counts.kills++
        await server.start()
      }
      expect(await result(server, runId)).toBe(wanted)
      counts.repeated += await checkQuestions(server, { provider, runId })
    }
    console.info(`${name}: ${JSON.stringify(counts)}, seed ${SEED}`)
  })
})

/** A model may be asked again only when it was running at a kill: its answer was not stored. Answers how often that was. */
async function checkQuestions(server: KillableServer, { provider, runId }: { provider: FakeProvider; runId: string }): Promise<number> {
  const asked = Map.groupBy(provider.requests, ({ lastUserText }) => lastUserText)
  const repeated = [...asked.values()].filter((requests) => requests.length > 1)
  const run = await readRun(server, runId)
  expect(asked.size).toBe(STEPS)
  expect(repeated.length).toBeLessThanOrEqual(run.recoveries)
  return repeated.length
}

function chain(): CanvasJson {
  const drawing = drawCanvas().entry({ text: 'string' })
  const ids: string[] = []
  for (let step = 0; step < STEPS; step++) {
    const [textId, modelId] = [String(101 + step), String(201 + step)]
    const before = ids.at(-1)
    drawing.node(textId, 15, {
      params: { String1: ref(before === undefined ? 'entry.text' : `${before}.output`) },
      inputs: { method: 'concat', concatParams: params({ concatResult: `${step}{{String1}}`, arrayItemConcatChar: ',' }) },
      outputs: { output: 'string' },
    })
    drawing.node(modelId, 3, {
      params: { text: ref(`${textId}.output`) },
      inputs: { llmParam: params({ modelType: '1', prompt: '{{text}}', systemPrompt: '', temperature: '0.5', responseFormat: '0' }) },
      outputs: { output: 'string' },
    })
    ids.push(textId, modelId)
  }
  return drawing
    .exit({ text: ref(`${ids.at(-1) ?? ''}.output`) })
    .edges(`entry > ${ids.join(' > ')} > exit`)
    .build()
}

async function applyWorkflow(server: KillableServer): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-manifest-'))
  const file = join(dir, 'workflows.json')
  await writeFile(
    file,
    JSON.stringify({ workflows: [{ id: WORKFLOW_ID, name: 'chain', canvas: chain(), publish: { version: 'v1.0.0' } }] }),
  )
  await server.command('apply', '-f', file)
  await rm(dir, { recursive: true, force: true })
}

async function startRun(server: KillableServer, text: string): Promise<string> {
  const { body } = await server.call('POST', '/v1/workflow/run', { workflow_id: WORKFLOW_ID, parameters: { text }, is_async: true })
  expect(body).toMatchObject({ code: 0 })
  return String(body.execute_id)
}

async function result(server: KillableServer, runId: string): Promise<string> {
  await expect.poll(async () => (await readRun(server, runId)).status, { timeout: 12_000, interval: 100 }).toBe('succeeded')
  return (await readRun(server, runId)).output
}

async function readRun({ location }: KillableServer, runId: string): Promise<{ status: string; output: string; recoveries: number }> {
  const db = await openDatabase(location)
  try {
    return await db.selectFrom('workflow_run').select(['status', 'output', 'recoveries']).where('id', '=', runId).executeTakeFirstOrThrow()
  } finally {
    await db.destroy()
  }
}
