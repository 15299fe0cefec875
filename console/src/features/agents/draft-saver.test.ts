import { expect, test, vi } from 'vitest'
import type { Agent, AgentDraft, SaveDraft } from '../../../../server/src/http/console/agent-wire.ts'
import { ApiError } from '../../lib/api-error.ts'
import { createDraftSaver } from './draft-saver.ts'
import { createDraftStash } from './draft-stash.ts'
import { makeAgent, makeDraft } from '../../../test/agent-samples.ts'

const FAST = { delayMs: 5, retryMs: 5 }
const offline = () => new ApiError({ status: 0, message: 'the server cannot be reached' })

test('what is typed is saved a moment later, in one request', async () => {
  const house = createHouse()
  house.saver.edit({ prompt: 'a' })
  house.saver.edit({ prompt: 'ab' })
  expect(house.saver.getSnapshot().state).toBe('waiting')

  await vi.waitFor(() => expect(house.saver.getSnapshot().state).toBe('saved'))
  expect(house.sent.map(({ draft }) => draft.prompt)).toEqual(['ab'])
  expect(house.stash.read()).toBeUndefined()
})

test('what is typed while a request is under way stays, and is saved by the next one', async () => {
  const house = createHouse()
  house.saver.edit({ prompt: 'one' })
  const first = house.saver.flush()
  house.saver.edit({ prompt: 'two' })
  await first

  expect(house.saver.getSnapshot().draft.prompt).toBe('two')
  await vi.waitFor(() => expect(house.stored.draft.prompt).toBe('two'))
  await vi.waitFor(() => expect(house.saver.getSnapshot().state).toBe('saved'))
})

test('without a network it is tried again by itself until it is saved', async () => {
  const house = createHouse()
  house.failWith(offline(), offline())
  house.saver.edit({ prompt: 'tunnel' })
  expect(await house.saver.flush()).toBe(false)
  expect(house.saver.getSnapshot().state).toBe('failed')
  expect(house.stash.read()?.draft.prompt).toBe('tunnel')
  await vi.waitFor(() => expect(house.stored.draft.prompt).toBe('tunnel'))
})

test('a save whose answer was lost is no conflict with somebody else', async () => {
  const house = createHouse()
  house.loseAnswer()
  house.saver.edit({ prompt: 'arrived' })
  expect(await house.saver.flush()).toBe(false)
  house.saver.edit({ prompt: 'arrived, and more' })

  await vi.waitFor(() => expect(house.stored.draft.prompt).toBe('arrived, and more'))
  await vi.waitFor(() => expect(house.saver.getSnapshot().state).toBe('saved'))
})

test('a change of somebody else is a conflict: nothing is sent any more, nothing is dropped', async () => {
  const house = createHouse()
  house.changeElsewhere({ description: 'theirs' })
  house.saver.edit({ description: 'mine' })
  await vi.waitFor(() => expect(house.saver.getSnapshot().state).toBe('conflict'))
  house.saver.edit({ description: 'mine, longer' })

  expect(await house.saver.flush()).toBe(false)
  expect(house.stored.draft.description).toBe('theirs')
  expect(house.saver.getSnapshot().draft.description).toBe('mine, longer')

  expect(await house.saver.keepMine(house.stored)).toBe(true)
  expect(house.stored.draft.description).toBe('mine, longer')
})

test('a conflict can end with what is stored', async () => {
  const house = createHouse()
  house.changeElsewhere({ description: 'theirs' })
  house.saver.edit({ description: 'mine' })
  expect(await house.saver.flush()).toBe(false)
  house.saver.takeTheirs(house.stored)

  expect(house.saver.getSnapshot()).toMatchObject({ state: 'saved', draft: { description: 'theirs' } })
  expect(house.stash.read()).toBeUndefined()
})

test('what a page before could not save is back after a reload, without secrets', async () => {
  const before = createHouse()
  before.failWith(offline(), offline(), offline(), offline(), offline(), offline())
  before.saver.edit({ prompt: 'kept', tools: [mcpTool('top secret')] })
  expect(await before.saver.flush()).toBe(false)
  before.saver.stop()
  expect(sessionStorage.getItem('coze-plus.draft.1.5')).not.toContain('top secret')

  const after = createHouse()
  expect(after.saver.getSnapshot()).toMatchObject({ isRecovered: true, state: 'waiting', draft: { prompt: 'kept' } })
  expect(await after.saver.flush()).toBe(true)
  expect(after.stored.draft.prompt).toBe('kept')
})

test('a value of a header is gone from the page once it is stored', async () => {
  const house = createHouse()
  house.saver.edit({ tools: [mcpTool('top secret')] })
  await house.saver.flush()
  expect(JSON.stringify(house.saver.getSnapshot())).not.toContain('top secret')
})

const mcpTool = (value: string): AgentDraft['tools'][number] => ({
  ...{ type: 'mcp', name: 'shop', url: 'https://example.com/mcp', timeout_ms: 30_000, allow: null },
  headers: [{ name: 'Authorization', value }],
})

/** A saver with a server that keeps one agent. */
function createHouse() {
  let stored = makeAgent({ id: '5' })
  let losesAnswer = false
  const failures: Error[] = []
  const sent: SaveDraft[] = []
  const write = (draft: AgentDraft): Agent => {
    const tools = draft.tools.map((tool) =>
      tool.type === 'function' ? tool : { ...tool, headers: tool.headers.map(({ name }) => ({ name, value: null })) },
    )
    return (stored = { ...stored, draft: { ...draft, tools }, revision: `${stored.revision}+` })
  }
  const stash = createDraftStash({ userId: '1', agentId: '5' })
  const saver = createDraftSaver({
    ...{ agent: stored, stash, ...FAST },
    load: async () => stored,
    async save(wanted) {
      const failure = failures.shift()
      if (failure) throw failure
      if (wanted.revision !== stored.revision) throw new ApiError({ status: 409, message: 'changed' })
      sent.push(wanted)
      const saved = write(makeDraft(wanted.draft))
      if (!losesAnswer) return saved
      losesAnswer = false
      throw offline()
    },
  })
  return {
    ...{ saver, stash, sent },
    get stored() {
      return stored
    },
    failWith: (...errors: Error[]) => failures.push(...errors),
    loseAnswer: () => (losesAnswer = true),
    changeElsewhere: (part: Partial<AgentDraft>) => write({ ...stored.draft, ...part }),
  }
}
