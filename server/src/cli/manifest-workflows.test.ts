import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, describe, expect, test } from 'vitest'
import { drawCanvas } from '../../test/support/canvas-builder.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { answers, calls, passOn } from '../../test/support/workflow-house.ts'
import { createUser } from '../accounts/users.ts'
import { findApp } from '../bots/app-store.ts'
import { findBot, findPublishedBot } from '../bots/bot-store.ts'
import { loadConfig } from '../config.ts'
import type { Core } from '../core.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { emptyRole } from '../workflows/chatflow-role.ts'
import { countVersions, countWorkflows, findWorkflow, findWorkflowVersion } from '../workflows/workflow-store.ts'
import { rollBackWorkflow, saveWorkflowDraft } from '../workflows/workflows.ts'
import { applyManifest } from './apply-manifest.ts'
import { readManifest } from './manifest.ts'

const dir = await mkdtemp(join(tmpdir(), 'coze-plus-workflows-'))
let files = 0
afterAll(() => rm(dir, { recursive: true }))

async function write(content: string): Promise<string> {
  const path = join(dir, `${++files}.json`)
  await writeFile(path, content)
  return path
}

/** A manifest is JSON here: canvases are easily put into it. */
const readJson = async (manifest: unknown) => readManifest(await write(JSON.stringify(manifest)))
const readYaml = async (text: string) => readManifest(await write(text))

/** What the operator is told, a line each, without the first one. */
async function problemsOf(work: Promise<unknown>): Promise<string[]> {
  const cause: unknown = await work.then(
    () => 'nothing is wrong',
    (reason: unknown) => reason,
  )
  if (!(cause instanceof AppError) || cause.code !== 'invalid_request') throw new Error('not refused', { cause })
  return cause.message
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
}

describe('workflows of a manifest', () => {
  test('with everything in it', async () => {
    await writeFile(join(dir, 'greet.canvas.json'), JSON.stringify(passOn(), null, 2))
    const { workflows } = await readYaml(`
workflows:
  - id: 7498668117704163337
    owner: admin@example.com
    name: 问候
    description: Greets
    icon_url: https://example.com/icon.png
    mode: chatflow
    app_id: 7000000000000000001
    on_crash: fail
    canvas: ./greet.canvas.json
    role:
      name: helper
      description: helps
      avatar_url: https://example.com/a.png
      onboarding: { prologue: 你好, suggested_questions: ["?"], display_all_suggestions: true }
      suggest_replies: { mode: custom, prompt: ask }
      background: { web_background_image: { image_url: x } }
      audio: { is_text_to_voice_enable: true }
      user_input: { default_input_mode: 1 }
    publish: { version: v1.0.0, note: first }
`)

    expect(workflows).toEqual([
      {
        ...{ id: '7498668117704163337', owner: 'admin@example.com', name: '问候', description: 'Greets', appId: '7000000000000000001' },
        ...{ iconUrl: 'https://example.com/icon.png', mode: 'chatflow', onCrash: 'fail', canvas: JSON.stringify(passOn()) },
        role: {
          ...{ name: 'helper', description: 'helps', avatarUrl: 'https://example.com/a.png' },
          onboarding: { prologue: '你好', suggestedQuestions: ['?'], displayAllSuggestions: true },
          suggestReplies: { mode: 'custom', prompt: 'ask' },
          background: { web_background_image: { image_url: 'x' } },
          audio: { is_text_to_voice_enable: true },
          userInput: { default_input_mode: 1 },
        },
        publish: { version: 'v1.0.0', note: 'first' },
      },
    ])
  })

  test('with the least there is', async () => {
    expect((await readJson({})).workflows).toEqual([])
    expect((await readJson({ workflows: [{ name: 'w', canvas: passOn() }] })).workflows).toEqual([
      {
        ...{ name: 'w', description: '', iconUrl: '', mode: 'workflow', onCrash: 'resume', role: emptyRole },
        canvas: JSON.stringify(passOn()),
        publish: undefined,
      },
    ])
  })

  test('have a canvas that stands in the manifest to the letter: its placeholders, its numbers', async () => {
    const { workflows } = await readYaml(`
workflows:
  - name: w
    canvas:
      nodes: [{ id: "1", code: "return \`\${params.NOT_A_VARIABLE}\`", n: 7498668117704163337, half: 0.50, none: null }]
      edges: []
`)
    const [workflow] = workflows
    expect(workflow?.canvas).toBe(
      '{"nodes":[{"id":"1","code":"return `${params.NOT_A_VARIABLE}`","n":7498668117704163337,"half":0.5,"none":null}],"edges":[]}',
    )
  })

  test('may be in a file with the mark of a Windows editor', async () => {
    await writeFile(join(dir, 'marked.json'), `\uFEFF${JSON.stringify(passOn())}`)
    expect((await readJson({ workflows: [{ name: 'w', canvas: 'marked.json' }] })).workflows[0]?.canvas).toBe(JSON.stringify(passOn()))
  })

  test('are refused with every place that is wrong', async () => {
    await writeFile(join(dir, 'broken.json'), '{"nodes": [}')
    await writeFile(join(dir, 'list.json'), '[]')
    await writeFile(join(dir, 'large.json'), JSON.stringify({ nodes: [], text: 'x'.repeat(8_000_001) }))
    const canvas = passOn()
    const problems = await problemsOf(
      readJson({
        workflows: [
          { name: 'a', canvas: 'nowhere.json' },
          { name: 'b', canvas: 'broken.json' },
          { name: 'c', canvas: 'list.json' },
          { name: 'd', canvas: 'large.json' },
          { name: 'e', canvas: 5 },
          { name: 'f' },
          { name: '', canvas, id: '9223372036854775808', mode: 'agent', on_crash: 'stop', colour: 'red', app_id: 'x' },
          { name: 'g', canvas, publish: { version: 'published' } },
          { name: 'h', canvas, role: { name: 'r' } },
          { name: 'i', canvas, mode: 'chatflow', role: { onboarding: { suggested_questions: ['x'.repeat(1_001)] }, avatar: 'x' } },
        ],
      }),
    )

    // what needs a file to be read comes last
    expect(problems.sort()).toEqual([
      'workflows.0.canvas: nowhere.json: the file cannot be read',
      expect.stringMatching(/^workflows\.1\.canvas: broken\.json: the canvas is not valid JSON: /),
      'workflows.2.canvas: list.json: the canvas must be a JSON object, as Coze Studio exports it',
      'workflows.3.canvas: large.json: the canvas is too large: it may have 8 MB',
      'workflows.4.canvas: must be a canvas of Coze Studio, or the path of its JSON file',
      'workflows.5.canvas: must be a canvas of Coze Studio, or the path of its JSON file',
      'workflows.6.app_id: must be a positive whole number, at most 2^63 - 1',
      'workflows.6.id: must be a positive whole number, at most 2^63 - 1',
      'workflows.6.mode: must be workflow or chatflow',
      'workflows.6.name: must not be empty',
      'workflows.6.on_crash: must be resume or fail',
      expect.stringMatching(/^workflows\.6: .*colour/),
      expect.stringMatching(/^workflows\.7\.publish\.version: must have 1 to 50 letters, digits/),
      'workflows.8.role: only a chatflow has a role: set mode to chatflow',
      expect.stringMatching(/^workflows\.9\.role\.onboarding\.suggested_questions\.0: /),
      expect.stringMatching(/^workflows\.9\.role: .*avatar/),
    ])
    expect(await problemsOf(readJson({ workflows: [{ name: 'i', canvas, mode: 'chatflow', role: { name: 'x'.repeat(300) } }] }))).toEqual([
      expect.stringMatching(/^workflows\.0\.role\.name: /),
    ])
  })

  test('are there once, and a bot in the mode chatflow has one', async () => {
    const canvas = passOn()
    expect(
      await problemsOf(
        readJson({
          workflows: [
            { name: 'a', id: 5, canvas },
            { name: 'b', id: '5', canvas },
            { name: 'z', canvas },
            { name: 'z', canvas },
          ],
          bots: [
            { name: 'x', mode: 'chatflow' },
            { name: 'y', workflow: 'z' },
            { name: 'q', workflows: [{}] },
          ],
        }),
      ),
    ).toEqual([
      'bots.0.workflow: must name the chatflow that answers',
      'bots.1.workflow: answers only in the mode chatflow: see `workflows` for tools',
      'bots.2.workflows.0: must be the id or the name of a workflow',
    ])
    const twice = [
      { name: 'a', id: 5, canvas },
      { name: 'b', id: '5', canvas },
      { name: 'z', canvas },
      { name: 'z', canvas },
    ]
    expect(await problemsOf(readJson({ workflows: twice }))).toEqual([
      'workflows.1.id: 5 is there twice',
      'workflows.3.id: z is there twice',
    ])
  })
})

describe.each(testDatabases())('applying workflows on $name', ({ open }) => {
  test('makes them so, says what changed, and changes nothing the second time', async () => {
    await using house = await openHouse(open)
    const manifest = {
      apps: [{ id: 700001, name: 'shop' }],
      workflows: [
        { id: '7498668117704163337', name: 'greet', app_id: 700001, canvas: passOn(), publish: { version: 'v1.0.0' } },
        { name: 'draft', mode: 'chatflow', on_crash: 'fail', canvas: answers(), role: { name: 'helper' } },
      ],
    }

    const [, greet, draft] = await house.apply(manifest)
    expect(greet).toEqual({ kind: 'workflow', id: '7498668117704163337', name: 'greet', change: 'created', published: 'v1.0.0' })
    expect(draft).toEqual({ kind: 'workflow', id: expect.any(String), name: 'draft', change: 'created' })
    const before = await house.db.selectFrom('workflow').selectAll().execute()
    expect((await house.apply(manifest)).map(({ change, published }) => [change, published])).toEqual(
      Array.from({ length: 3 }, () => ['unchanged', undefined]),
    )
    expect(await house.db.selectFrom('workflow').selectAll().execute()).toEqual(before)
    expect(await countVersions(house.db, '7498668117704163337')).toBe(1)
    expect(await findWorkflow(house.db, '7498668117704163337')).toMatchObject({ ownerId: house.adaId, appId: '700001' })
    expect(await findWorkflow(house.db, draft?.id ?? '')).toMatchObject({ mode: 'chatflow', onCrash: 'fail', role: { name: 'helper' } })
  })

  test('saves what differs, and publishes it when it is to be published', async () => {
    await using house = await openHouse(open)
    const applied = async (workflow: object) => (await house.apply({ workflows: [{ id: 5, name: 'greet', ...workflow }] }))[0]
    await applied({ canvas: passOn('one'), publish: {} })

    expect(await applied({ canvas: passOn('two') })).toEqual({ kind: 'workflow', id: '5', name: 'greet', change: 'updated' })
    expect(await applied({ canvas: passOn('two'), publish: {} })).toMatchObject({ change: 'unchanged', published: 'v0.0.2' })
    expect((await findWorkflowVersion(house.db, '5', 'v0.0.1'))?.canvas).toBe(JSON.stringify(passOn('one')))
    expect((await findWorkflowVersion(house.db, '5', 'v0.0.2'))?.canvas).toBe(JSON.stringify(passOn('two')))
  })

  test('a version that is there already with other content is refused; with the same it is live again', async () => {
    await using house = await openHouse(open)
    const greet = (name: string, version: string) => ({ workflows: [{ id: 5, name: 'greet', canvas: passOn(name), publish: { version } }] })
    await house.apply(greet('one', 'v1.0.0'))
    await expect(house.apply(greet('two', 'v1.0.0'))).rejects.toMatchObject({ code: 'conflict' })
    expect((await findWorkflow(house.db, '5'))?.canvas).toBe(JSON.stringify(passOn('one')))

    await house.apply(greet('two', 'v1.0.1'))
    await rollBackWorkflow(house.core, { userId: house.adaId }, { workflowId: '5', version: 'v1.0.0' })
    expect(await house.apply(greet('two', 'v1.0.1'))).toMatchObject([{ change: 'unchanged', published: 'v1.0.1' }])
    expect(await countVersions(house.db, '5')).toBe(2)
  })

  test('knows a workflow without an id by its name, as it is written', async () => {
    await using house = await openHouse(open)
    const [made] = await house.apply({ workflows: [{ name: 'greet', canvas: passOn('one') }] })

    expect(await house.apply({ workflows: [{ name: 'greet', canvas: passOn('two') }] })).toEqual([{ ...made, change: 'updated' }])
    expect(await house.apply({ workflows: [{ name: 'Greet', canvas: passOn('two') }] })).toMatchObject([{ change: 'created' }])
    expect(await countWorkflows(house.db, {})).toBe(2)
  })

  test('workflows find each other in the manifest, whatever their order, and in the database', async () => {
    await using house = await openHouse(open)
    const inner = { id: '7498668117704163337', name: 'inner', canvas: passOn(), publish: { version: 'v0.0.1' } }
    const outer = { id: 5, name: 'outer', canvas: calls(inner.id, { version: 'v0.0.1' }), publish: {} }

    expect(await house.apply({ workflows: [outer, inner] })).toMatchObject([{ published: 'v0.0.1' }, { published: 'v0.0.1' }])
    expect(await house.apply({ workflows: [{ name: 'more', canvas: calls(inner.id), publish: {} }] })).toMatchObject([
      { published: 'v0.0.1' },
    ])
  })

  test('canvases with issues are refused with all of them, and nothing is changed', async () => {
    await using house = await openHouse(open)
    await house.apply({ workflows: [{ id: 4, name: 'was there', canvas: passOn('one'), publish: {} }] })
    const unconnected = drawCanvas().entry({}).exit({}).build()
    const problems = await problemsOf(
      house.apply({
        models: [{ name: 'fast' }],
        workflows: [
          { id: 4, name: 'was there', canvas: passOn('two'), publish: {} },
          { id: 5, name: 'caller', canvas: calls('6') },
          { id: 6, name: 'called', canvas: unconnected, publish: {} },
          { id: 7, name: 'lost', canvas: calls('404') },
          {
            id: 8,
            name: 'huge',
            canvas: { nodes: Array.from({ length: 10_000 }, (_, at) => ({ id: `${at}`, type: '15', data: {} })), edges: [] },
          },
          { id: 9, name: 'empty', canvas: {} },
        ],
        bots: [{ id: 123456, name: 'b', model: 'fast', workflows: ['caller'] }],
      }),
    )

    expect(problems).toEqual([
      'workflow called (6), node 100001 "start": node "start" not connected',
      'workflow lost (7), node 101 "call", inputs.workflowId: the workflow 404 does not exist',
      'workflow huge (8), nodes: the canvas has 10000 nodes: at most 2000 are taken',
      'workflow empty (9), nodes: this is no canvas: it has no list of nodes. Export it from Coze Studio',
    ])
    expect(await countWorkflows(house.db, {})).toBe(1)
    expect((await findWorkflow(house.db, '4'))?.canvas).toBe(JSON.stringify(passOn('one')))
    expect(await countVersions(house.db, '4')).toBe(1)
    expect(await findBot(house.db, '123456')).toBeUndefined()
  })

  test('an app or a workflow of somebody else is refused', async () => {
    await using house = await openHouse(open)
    await house.apply({ apps: [{ id: 700001, name: 'shop' }], workflows: [{ id: 5, name: 'of ada', canvas: passOn() }] })
    await createUser(house.core, { email: 'bob@example.com', password: 'correct horse' })
    const ofBob = (more: object) => house.apply({ workflows: [{ name: 'w', owner: 'bob@example.com', canvas: passOn(), ...more }] })

    await expect(ofBob({ id: 5 })).rejects.toThrow('workflow 5 belongs to another user')
    await expect(ofBob({ app_id: 700001 })).rejects.toThrow('there is no app 700001')
    await expect(house.apply({ workflows: [{ name: 'w', canvas: passOn() }] })).rejects.toThrow('needs an owner')
    await expect(ofBob({ canvas: calls('5') })).rejects.toThrow('the workflow 5 does not exist')
    expect(await countWorkflows(house.db, {})).toBe(1)
    expect(await findApp(house.db, '700001')).toMatchObject({ ownerId: house.adaId })
  })

  test('a bot has workflows as tools, or a chatflow that answers, by id or name', async () => {
    await using house = await openHouse(open)
    const manifest = {
      workflows: [
        { id: '7498668117704163337', name: 'greet', canvas: passOn() },
        { id: 6, name: '7', canvas: passOn() },
        { id: 8, name: 'talk', mode: 'chatflow', canvas: answers() },
      ],
      bots: [
        { id: 1, name: 'agent', model: 'demo', workflows: ['greet', '7498668117704163337', 7], publish: {} },
        { id: 2, name: 'flow', model: 'demo', mode: 'chatflow', workflow: 'talk', publish: {} },
        { id: 3, name: 'plain', model: 'demo', publish: {} },
      ],
    }
    await house.apply(manifest)

    const configOf = async (botId: string) => (await findPublishedBot(house.db, botId))?.config
    expect(await configOf('1')).toMatchObject({ mode: 'agent', workflows: ['7498668117704163337', '6'], chatflowId: '' })
    expect(await configOf('2')).toMatchObject({ mode: 'chatflow', workflows: [], chatflowId: '8' })
    expect(await configOf('3')).toMatchObject({ mode: 'agent', workflows: [], chatflowId: '' })
    expect((await house.apply(manifest)).every(({ change, published }) => change === 'unchanged' && published === undefined)).toBe(true)
  })

  test.each([
    [{ workflows: ['nobody'] }, 'bot b: its owner has no workflow with the id or name nobody'],
    [{ workflows: [404] }, 'bot b: its owner has no workflow with the id or name 404'],
    [{ mode: 'chatflow', workflow: 'greet' }, 'bot b: the workflow greet is no chatflow, so it cannot answer chats'],
  ])('a bot is refused with %j', async (bot, message) => {
    await using house = await openHouse(open)
    const manifest = { workflows: [{ id: 5, name: 'greet', canvas: passOn() }], bots: [{ id: 1, name: 'b', model: 'demo', ...bot }] }

    await expect(house.apply(manifest)).rejects.toThrow(message)
    expect(await findWorkflow(house.db, '5')).toBeUndefined()
  })

  test('drafts that were saved meanwhile are made what the manifest says', async () => {
    await using house = await openHouse(open)
    const manifest = { workflows: [{ id: 5, name: 'greet', canvas: passOn(), publish: {} }] }
    await house.apply(manifest)
    const workflow = await findWorkflow(house.db, '5')
    if (!workflow) throw new Error('not there')
    await saveWorkflowDraft(house.core, { userId: house.adaId }, { ...workflow, workflowId: '5', name: 'other' })

    expect(await house.apply(manifest)).toEqual([{ kind: 'workflow', id: '5', name: 'greet', change: 'updated' }])
    expect(await findWorkflow(house.db, '5')).toMatchObject({ name: 'greet' })
  })
})

/** A database with one user, ada@example.com. */
async function openHouse(open: () => Promise<Db & AsyncDisposable>) {
  const db = await open()
  const clock = () => Date.now()
  const core: Core = {
    ...{ db, clock, config: loadConfig({ DATA_DIR: dir }), nextId: createSnowflake(1, clock), secrets: createSecretBox('master') },
    ...{ logger: pino({ level: 'silent' }), workerToken: 'this process', close: () => Promise.resolve() },
  }
  const ada = await createUser(core, { email: 'ada@example.com', password: 'correct horse' })

  return {
    ...{ core, db, adaId: ada.id },
    apply: async (manifest: unknown) => applyManifest(core, await readJson(manifest)),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  }
}
