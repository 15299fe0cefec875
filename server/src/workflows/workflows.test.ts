import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { saveApp } from '../bots/apps.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { chatflowRoleSchema, emptyRole } from './chatflow-role.ts'
import type { Workflow } from './workflow-record.ts'
import { findWorkflowByName, findWorkflowVersion } from './workflow-store.ts'
import {
  createWorkflow,
  freezeWorkflow,
  getOwnWorkflow,
  hasUnpublishedChanges,
  listWorkflowVersions,
  listWorkflows,
  publishWorkflow,
  rollBackWorkflow,
  saveWorkflowDraft,
  unpublishWorkflow,
} from './workflows.ts'
import type { WantedDraft } from './workflows.ts'

const ADA = { userId: '1' }
const BOB = { userId: '2' }
const NOT_FOUND = expect.objectContaining({ code: 'not_found' })
const CONFLICT = expect.objectContaining({ code: 'conflict' })
const REFUSED = expect.objectContaining({ code: 'invalid_request' })
const FIRST = { page: 1, size: 50 }

const draft: WantedDraft = {
  name: '问候',
  description: '描述 🚀',
  iconUrl: 'https://example.com/icon.png',
  mode: 'workflow',
  onCrash: 'resume',
  canvas: '{"nodes":[],"edges":[]}',
  role: emptyRole,
  appId: undefined,
}

function depsFor(db: Db, worker = 1) {
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = () => ++time.now
  return { db, clock, nextId: createSnowflake(worker, clock), assertRunnable: () => Promise.resolve() }
}

type Deps = ReturnType<typeof depsFor>
const make = (deps: Deps, wanted: Partial<WantedDraft & { id: string }> = {}) => createWorkflow(deps, ADA, { ...draft, ...wanted })
const saveCanvas = (deps: Deps, workflowId: string, canvas: string) => saveWorkflowDraft(deps, ADA, { workflowId, ...draft, canvas })
const canvasOf = (name: string) => `{"nodes":[],"edges":[],"name":"${name}"}`

async function liveVersion(deps: Deps, workflowId: string): Promise<string | undefined> {
  const { workflows } = await listWorkflows(deps, ADA, FIRST)
  return workflows.find(({ id }) => id === workflowId)?.live?.version
}

describe.each(testDatabases())('drafts of workflows on $name', ({ open }) => {
  test('one that is made is read back as it was, and is not published', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const role = chatflowRoleSchema.parse({
      name: '小助手',
      onboarding: { prologue: '你好', suggestedQuestions: ['?'] },
      suggestReplies: { mode: 'custom', prompt: 'ask' },
      background: { web_background_image: { image_url: 'https://example.com/b.png' } },
    })
    const workflow = await make(deps, { id: '7498668117704163337', mode: 'chatflow', onCrash: 'fail', role })

    expect(await getOwnWorkflow(deps, ADA, workflow.id)).toEqual(workflow)
    expect(workflow).toMatchObject({ ...draft, id: '7498668117704163337', ownerId: '1', mode: 'chatflow', onCrash: 'fail', role })
    expect(workflow.liveVersionId).toBeUndefined()
    expect(await liveVersion(deps, workflow.id)).toBeUndefined()
  })

  test('a canvas is kept without its layout, and with its numbers exact', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps, {
      canvas: '{\n  "nodes": [ ],\r\n "n": 7498668117704163337, "half": 0.5,\t"text": "a  b 你 \\u0000"\n}',
    })

    expect((await getOwnWorkflow(deps, ADA, id)).canvas).toBe('{"nodes":[],"n":7498668117704163337,"half":0.5,"text":"a  b 你 \\u0000"}')
  })

  test('a canvas of several megabytes is kept whole', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const canvas = JSON.stringify({ nodes: [], note: '文'.repeat(2_000_000) })
    const { id } = await make(deps, { canvas })

    expect((await getOwnWorkflow(deps, ADA, id)).canvas === canvas).toBe(true)
    await freezeWorkflow(deps, ADA, { workflowId: id })
    expect((await findWorkflowVersion(db, id, 'v0.0.1'))?.canvas === canvas).toBe(true)
  })

  test('an id that is taken is refused, whoever has it', async () => {
    await using db = await open()
    const deps = depsFor(db)
    await make(deps, { id: '5' })

    await expect(make(deps, { id: '5' })).rejects.toEqual(CONFLICT)
    await expect(createWorkflow(deps, BOB, { ...draft, id: '5' })).rejects.toEqual(CONFLICT)
  })

  test('what is no canvas at all is refused, and changes nothing', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)

    for (const canvas of ['', '[]', 'null', '"x"', '{', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`]) {
      await expect(saveCanvas(deps, id, canvas), canvas.slice(0, 20)).rejects.toEqual(REFUSED)
      await expect(make(deps, { canvas })).rejects.toEqual(REFUSED)
    }
    expect((await getOwnWorkflow(deps, ADA, id)).canvas).toBe(draft.canvas)
  })

  test('saving changes the draft and nothing that is published', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const published = await publishWorkflow(deps, ADA, { workflowId: id })
    const saved = await saveWorkflowDraft(deps, ADA, { workflowId: id, ...draft, name: 'new', canvas: canvasOf('new') })

    expect(saved).toMatchObject({ name: 'new', canvas: canvasOf('new'), liveVersionId: published.id })
    expect(await getOwnWorkflow(deps, ADA, id)).toEqual(saved)
    expect(await findWorkflowVersion(db, id, 'v0.0.1')).toEqual(published)
  })

  test('every change is seen in updatedAt, also where the clock stands still', async () => {
    await using db = await open()
    const deps = { ...depsFor(db), clock: () => 1_000 }
    const { id } = await make(deps)
    const seen: number[] = []
    for (const name of ['a', 'b', 'c']) seen.push((await saveWorkflowDraft(deps, ADA, { workflowId: id, ...draft, name })).updatedAt)

    expect(seen).toEqual([1_001, 1_002, 1_003])
  })

  test('somebody else’s does not exist', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    await publishWorkflow(deps, ADA, { workflowId: id })

    const page = { workflowId: id, ...FIRST }
    await expect(getOwnWorkflow(deps, BOB, id)).rejects.toEqual(NOT_FOUND)
    await expect(saveWorkflowDraft(deps, BOB, { workflowId: id, ...draft })).rejects.toEqual(NOT_FOUND)
    await expect(publishWorkflow(deps, BOB, { workflowId: id })).rejects.toEqual(NOT_FOUND)
    await expect(freezeWorkflow(deps, BOB, { workflowId: id })).rejects.toEqual(NOT_FOUND)
    await expect(rollBackWorkflow(deps, BOB, { workflowId: id, version: 'v0.0.1' })).rejects.toEqual(NOT_FOUND)
    await expect(unpublishWorkflow(deps, BOB, id)).rejects.toEqual(NOT_FOUND)
    await expect(listWorkflowVersions(deps, BOB, page)).rejects.toEqual(NOT_FOUND)
    expect((await listWorkflows(deps, BOB, FIRST)).total).toBe(0)
    expect((await listWorkflowVersions(deps, ADA, page)).total).toBe(1)
  })

  test('it belongs to an app of its owner, or to none', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const app = { name: 'shop', description: '', iconUrl: '', version: '1', variables: [], conversations: [] }
    await saveApp(deps, ADA, { id: '700001', ...app })
    await saveApp(deps, BOB, { id: '700002', ...app })

    const { id } = await make(deps, { appId: '700001' })
    expect((await getOwnWorkflow(deps, ADA, id)).appId).toBe('700001')
    for (const appId of ['700002', '1']) {
      await expect(make(deps, { appId })).rejects.toEqual(REFUSED)
      await expect(saveWorkflowDraft(deps, ADA, { workflowId: id, ...draft, appId })).rejects.toEqual(REFUSED)
    }
    expect((await saveWorkflowDraft(deps, ADA, { workflowId: id, ...draft })).appId).toBeUndefined()
  })
})

describe.each(testDatabases())('lists of workflows on $name', ({ open }) => {
  test('are the owner’s, newest first, in pages, with all that match counted', async () => {
    await using db = await open()
    const deps = depsFor(db)
    for (const id of ['10', '30', '20']) await make(deps, { id })
    await createWorkflow(deps, BOB, { ...draft, id: '5' })
    const page = async (at: number) => {
      const { workflows, total } = await listWorkflows(deps, ADA, { page: at, size: 2 })
      return [workflows.map(({ id }) => id), total]
    }

    expect(await page(1)).toEqual([['30', '20'], 3])
    expect(await page(2)).toEqual([['10'], 3])
    expect(await page(3)).toEqual([[], 3])
    expect((await findWorkflowByName(db, '1', draft.name))?.id).toBe('10')
    expect(await findWorkflowByName(db, '1', '?')).toBeUndefined()
    await make(deps, { id: '40', name: 'Greet' })
    for (const other of ['greet', 'Greet ', 'Grëet']) expect(await findWorkflowByName(db, '1', other), other).toBeUndefined()
  })

  test('can be of an app, of a mode, of what is published, and of a part of the name', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const app = { name: 'shop', description: '', iconUrl: '', version: '1', variables: [], conversations: [] }
    await saveApp(deps, ADA, { id: '700001', ...app })
    await make(deps, { id: '1', name: '100% off', appId: '700001' })
    await make(deps, { id: '2', name: '100 off', mode: 'chatflow' })
    await make(deps, { id: '3', name: 'a_b!c' })
    await make(deps, { id: '4', name: 'aXb c\\' })
    await publishWorkflow(deps, ADA, { workflowId: '2', version: 'v1.0.0' })
    const ids = async (filter: Parameters<typeof listWorkflows>[2] extends infer P ? Omit<P, 'page' | 'size'> : never) => {
      const { workflows, total } = await listWorkflows(deps, ADA, { ...filter, ...FIRST })
      expect(total).toBe(workflows.length)
      return workflows.map(({ id }) => id)
    }

    expect(await ids({ appId: '700001' })).toEqual(['1'])
    expect(await ids({ mode: 'chatflow' })).toEqual(['2'])
    expect(await ids({ mode: 'workflow' })).toEqual(['4', '3', '1'])
    expect(await ids({ isPublished: true })).toEqual(['2'])
    expect(await ids({ isPublished: false })).toEqual(['4', '3', '1'])
    expect(await ids({ search: '100%' })).toEqual(['1'])
    expect(await ids({ search: 'OFF' })).toEqual(['2', '1'])
    expect(await ids({ search: '_' })).toEqual(['3'])
    expect(await ids({ search: '!' })).toEqual(['3'])
    expect(await ids({ search: '\\' })).toEqual(['4'])
    expect(await ids({ search: "' or 1=1 --" })).toEqual([])
    expect(await ids({ search: 'off', mode: 'workflow', isPublished: false, appId: '700001' })).toEqual(['1'])
  })

  test('say which version is live, and since when', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const { createdAt } = await publishWorkflow(deps, ADA, { workflowId: id, version: 'v2.0' })
    await saveWorkflowDraft(deps, ADA, { workflowId: id, ...draft, name: 'draft' })

    const { workflows } = await listWorkflows(deps, ADA, FIRST)
    expect(workflows).toMatchObject([{ id, ownerId: '1', name: 'draft', live: { version: 'v2.0', publishedAt: createdAt } }])
    await unpublishWorkflow(deps, ADA, id)
    expect((await listWorkflows(deps, ADA, FIRST)).workflows[0]?.live).toBeUndefined()
  })
})

describe.each(testDatabases())('versions of workflows on $name', ({ open }) => {
  test('publishing freezes the draft and makes it live', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const published = await publishWorkflow(deps, ADA, { workflowId: id, version: 'v1.2.0', note: '第一版' })

    const { appId: _current, ...frozen } = draft
    expect(published).toMatchObject({ ...frozen, workflowId: id, version: 'v1.2.0', note: '第一版' })
    expect(await findWorkflowVersion(db, id, 'v1.2.0')).toEqual(published)
    expect((await getOwnWorkflow(deps, ADA, id)).liveVersionId).toBe(published.id)
  })

  test('a draft that cannot run is not published', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const asked: Workflow[] = []
    const assertRunnable = (_db: Db, workflow: Workflow) => {
      asked.push(workflow)
      return Promise.reject(new AppError('invalid_request', 'node "start" not connected'))
    }

    await expect(publishWorkflow({ ...deps, assertRunnable }, ADA, { workflowId: id })).rejects.toThrow('node "start" not connected')
    expect(asked).toEqual([await getOwnWorkflow(deps, ADA, id)])
    expect((await listWorkflowVersions(deps, ADA, { workflowId: id, ...FIRST })).total).toBe(0)
    expect(await liveVersion(deps, id)).toBeUndefined()
  })

  test('a version never changes: its name cannot be used again, and what was live stays live', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const first = await publishWorkflow(deps, ADA, { workflowId: id, version: 'v1.0.0' })
    await saveCanvas(deps, id, canvasOf('new'))

    await expect(publishWorkflow(deps, ADA, { workflowId: id, version: 'v1.0.0' })).rejects.toEqual(CONFLICT)
    expect((await getOwnWorkflow(deps, ADA, id)).liveVersionId).toBe(first.id)
    expect(await findWorkflowVersion(db, id, 'v1.0.0')).toEqual(first)
    for (const almost of ['V1.0.0', 'v1.0.0 ', 'v1.0']) expect(await findWorkflowVersion(db, id, almost)).toBeUndefined()
    await publishWorkflow(deps, ADA, { workflowId: id, version: 'V1.0.0' })

    const other = await make(deps)
    expect(await publishWorkflow(deps, ADA, { workflowId: other.id, version: 'v1.0.0' })).toMatchObject({ version: 'v1.0.0' })
  })

  test('without a name it is the next number that is free', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const namesOf = async (...wanted: (string | undefined)[]) => {
      const { id } = await make(deps)
      for (const version of wanted) await publishWorkflow(deps, ADA, { workflowId: id, version })
      const { versions } = await listWorkflowVersions(deps, ADA, { workflowId: id, ...FIRST })
      return versions.map(({ version }) => version).reverse()
    }

    expect(await namesOf(undefined, undefined, undefined)).toEqual(['v0.0.1', 'v0.0.2', 'v0.0.3'])
    expect(await namesOf('v1.0.9', undefined)).toEqual(['v1.0.9', 'v1.0.10'])
    expect(await namesOf('1-beta', undefined, undefined)).toEqual(['1-beta', '1-beta.1', '1-beta.2'])
    expect(await namesOf('v0.0.2', 'v0.0.1', undefined)).toEqual(['v0.0.2', 'v0.0.1', 'v0.0.3'])
  })

  test.each(['', 'published', 'draft', 'v 1', '1'.repeat(51), 'v1\n', '版本1', '../1'])(
    'a name that could be taken for something else is refused: %j',
    async (version) => {
      await using db = await open()
      const deps = depsFor(db)
      const { id } = await make(deps)

      await expect(publishWorkflow(deps, ADA, { workflowId: id, version })).rejects.toEqual(REFUSED)
      expect((await listWorkflowVersions(deps, ADA, { workflowId: id, ...FIRST })).total).toBe(0)
    },
  )

  test('rolling back makes an earlier version live and leaves the draft', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const first = await publishWorkflow(deps, ADA, { workflowId: id })
    await saveCanvas(deps, id, canvasOf('new'))
    await publishWorkflow(deps, ADA, { workflowId: id })

    expect(await rollBackWorkflow(deps, ADA, { workflowId: id, version: 'v0.0.1' })).toEqual(first)
    expect(await liveVersion(deps, id)).toBe('v0.0.1')
    expect((await getOwnWorkflow(deps, ADA, id)).canvas).toBe(canvasOf('new'))
    await expect(rollBackWorkflow(deps, ADA, { workflowId: id, version: 'v9' })).rejects.toEqual(NOT_FOUND)
    // the next version is after the newest, not after the live one
    expect((await publishWorkflow(deps, ADA, { workflowId: id })).version).toBe('v0.0.3')
  })

  test('another workflow’s version cannot be rolled back to', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const [one, other] = [await make(deps), await make(deps)]
    await publishWorkflow(deps, ADA, { workflowId: other.id, version: 'only-there-1' })

    await expect(rollBackWorkflow(deps, ADA, { workflowId: one.id, version: 'only-there-1' })).rejects.toEqual(NOT_FOUND)
  })

  test('are listed newest first, in pages, without their canvases', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    for (let i = 0; i < 3; i++) await publishWorkflow(deps, ADA, { workflowId: id, note: `${i}` })

    const { versions, total } = await listWorkflowVersions(deps, ADA, { workflowId: id, page: 2, size: 2 })
    expect({ versions, total }).toMatchObject({ versions: [{ version: 'v0.0.1', note: '0', workflowId: id, name: draft.name }], total: 3 })
    expect(versions[0]).not.toHaveProperty('canvas')
  })

  test('a draft that differs from what is live shows', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const differs = async () => hasUnpublishedChanges(deps, await getOwnWorkflow(deps, ADA, id))
    expect(await differs()).toBe(true)
    await publishWorkflow(deps, ADA, { workflowId: id })
    expect(await differs()).toBe(false)

    const changes: Partial<WantedDraft>[] = [
      ...[{ name: 'other' }, { description: 'other' }, { iconUrl: '' }, { mode: 'chatflow' } as const, { onCrash: 'fail' } as const],
      ...[{ canvas: canvasOf('x') }, { role: chatflowRoleSchema.parse({ name: 'x' }) }],
    ]
    for (const change of changes) {
      await saveWorkflowDraft(deps, ADA, { workflowId: id, ...draft, ...change })
      expect(await differs(), JSON.stringify(change)).toBe(true)
    }
    await saveWorkflowDraft(deps, ADA, { workflowId: id, ...draft, canvas: JSON.stringify(JSON.parse(draft.canvas), null, 2) })
    expect(await differs()).toBe(false)
    await unpublishWorkflow(deps, ADA, id)
    expect(await differs()).toBe(true)
  })

  test('of those who publish at once, each gets a version of its own or is refused, and one of them is live', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const workers = Array.from({ length: 8 }, (_, worker) => depsFor(db, worker + 2))

    const numbered = await Promise.all(workers.map((each) => publishWorkflow(each, ADA, { workflowId: id })))
    expect(numbered.map(({ version }) => version).sort()).toEqual(Array.from({ length: 8 }, (_, at) => `v0.0.${at + 1}`))

    const named = await Promise.allSettled(workers.map((each) => publishWorkflow(each, ADA, { workflowId: id, version: 'v1.0.0' })))
    expect(named.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const each of named) if (each.status === 'rejected') expect(each.reason).toEqual(CONFLICT)

    expect(await liveVersion(deps, id)).toBe('v1.0.0')
    expect((await listWorkflowVersions(deps, ADA, { workflowId: id, ...FIRST })).total).toBe(9)
  })

  test('what is saved while it is published is in the version or in the draft', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const before = await getOwnWorkflow(deps, ADA, id)

    const [version, saved] = await Promise.all([
      publishWorkflow(deps, ADA, { workflowId: id }),
      saveCanvas(depsFor(db, 2), id, canvasOf('meanwhile')),
    ])
    expect([before.canvas, saved.canvas]).toContain(version.canvas)
    expect(await getOwnWorkflow(deps, ADA, id)).toMatchObject({ canvas: canvasOf('meanwhile'), liveVersionId: version.id })
  })
})
