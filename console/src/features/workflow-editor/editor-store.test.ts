import { describe, expect, test, vi } from 'vitest'
import type { SaveWorkflow, SavedWorkflow, Workflow } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { ApiError } from '../../lib/api-error.ts'
import { writeAt } from './canvas-json.ts'
import { createEditorStore } from './editor-store.ts'
import { createWorkflowStash } from './workflow-stash.ts'

const stored: SavedWorkflow = {
  ...{ id: '7', revision: 'r1', created_at: 1, updated_at: 1, live: null, has_unpublished_changes: true, inputs: [] },
}
const workflow: Workflow = {
  ...stored,
  draft: { name: 'w', description: '', icon_url: '', mode: 'workflow', app_id: null, on_crash: 'resume', canvas: '{"nodes":[],"n":1}' },
}

/** Answers what was saved, in order; each save may fail first. */
function startStore(failures: Error[] = [], stash = createWorkflowStash({ userId: '1', workflowId: crypto.randomUUID() })) {
  const saved: SaveWorkflow[] = []
  const save = async (request: SaveWorkflow) => {
    const failure = failures.shift()
    if (failure) throw failure
    saved.push(request)
    return { ...stored, revision: `r${saved.length + 1}` }
  }
  const store = createEditorStore(workflow, { save, stash, saveDelayMs: 20, retryDelayMs: 20 })
  const set = (n: number, key?: string) => store.edit((canvas) => writeAt(canvas, 'n', n), key)
  const numbers = () => saved.map(({ draft }) => JSON.parse(draft.canvas).n as number)
  return { store, saved, set, numbers }
}

describe('a workflow in the editor', () => {
  test('is saved a moment after the last change, with the revision of the save before', async () => {
    const { store, saved, set, numbers } = startStore()
    set(2)
    set(3)
    expect(store.getState().save.kind).toBe('changed')
    await vi.waitFor(() => expect(store.getState().save.kind).toBe('saved'))
    set(4)
    await vi.waitFor(() => expect(numbers()).toEqual([3, 4]))
    expect(saved.map(({ revision }) => revision)).toEqual(['r1', 'r2'])
  })

  test('steps of undo: typing is one, everything else each its own', () => {
    const { store, set } = startStore()
    set(2, 'title')
    set(3, 'title')
    set(4)
    store.undo()
    expect(store.getState().canvas).toMatchObject({ n: 3 })
    store.undo()
    expect(store.getState().canvas).toMatchObject({ n: 1 })
    store.redo()
    expect(store.getState().canvas).toMatchObject({ n: 3 })
    set(5)
    expect(store.getState().future).toEqual([])
  })

  test('what was changed and changed back is saved as it is', async () => {
    const { store, set, numbers } = startStore()
    set(2)
    store.undo()
    await vi.waitFor(() => expect(store.getState().save.kind).toBe('saved'))
    expect(numbers()).toEqual([])
  })

  test('after a conflict nothing is sent until the person has decided', async () => {
    const { store, set, numbers, saved } = startStore([new ApiError({ status: 409, message: 'changed' })])
    set(2)
    await vi.waitFor(() => expect(store.getState().save.kind).toBe('conflict'))
    set(3)
    expect(await store.saveNow()).toBe(false)
    expect(numbers()).toEqual([])
    expect(await store.overwrite('r9')).toBe(true)
    expect(numbers()).toEqual([3])
    expect(saved[0]?.revision).toBe('r9')
  })

  test('what the server has can be taken, and undone', async () => {
    const { store, set } = startStore([new ApiError({ status: 409, message: 'changed' })])
    set(2)
    await vi.waitFor(() => expect(store.getState().save.kind).toBe('conflict'))
    store.takeOver({ ...workflow, revision: 'r5', draft: { ...workflow.draft, canvas: '{"n":50}' } })
    expect(store.getState()).toMatchObject({ canvas: { n: 50 }, save: { kind: 'saved' }, stored: { revision: 'r5' } })
    store.undo()
    expect(store.getState().canvas).toMatchObject({ n: 2 })
  })

  test('a server that is away is asked again; one that refuses is not', async () => {
    const away = startStore([new ApiError({ status: 503, message: 'busy' })])
    away.set(2)
    await vi.waitFor(() => expect(away.numbers()).toEqual([2]))

    const refused = startStore([new ApiError({ status: 422, message: 'no' })])
    refused.set(2)
    await vi.waitFor(() => expect(refused.store.getState().save.kind).toBe('failed'))
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(refused.numbers()).toEqual([])
    expect(await refused.store.saveNow()).toBe(true)
  })

  test('what could not be saved is there when the page comes back, and is saved', async () => {
    const stash = createWorkflowStash({ userId: '1', workflowId: 'left' })
    const gone = startStore([new ApiError({ status: 500, message: 'broken' })], stash)
    gone.set(2)
    expect(await gone.store.saveNow()).toBe(false)

    const back = startStore([], stash)
    expect(back.store.getState()).toMatchObject({ canvas: { n: 2 }, isRecovered: true, save: { kind: 'changed' } })
    expect(await back.store.saveNow()).toBe(true)
    expect(back.numbers()).toEqual([2])
    back.store.undo()
    expect(back.store.getState().canvas).toMatchObject({ n: 1 })
    expect(stash.read()).toBeUndefined()
  })

  test('what was kept is not put over what somebody else has saved meanwhile', async () => {
    const stash = createWorkflowStash({ userId: '1', workflowId: 'older' })
    stash.write({ revision: 'r0', draft: { ...workflow.draft, canvas: '{"nodes":[],"n":7}' } })
    const { store, numbers } = startStore([], stash)
    expect(store.getState()).toMatchObject({ canvas: { n: 7 }, save: { kind: 'conflict' } })
    expect(await store.saveNow()).toBe(false)
    expect(numbers()).toEqual([])
  })
})
