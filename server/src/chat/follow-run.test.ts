import { expect, test } from 'vitest'
import { DONE, openChatHouse } from '../../test/support/chat-house.ts'
import type { ChatHouse } from '../../test/support/chat-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { ChatEvent } from './chat-event.ts'
import { followRun } from './follow-run.ts'

test('a chat whose journal is no longer kept is told again from its messages', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  house.model.script = async ({ onChunk }) => {
    onChunk({ type: 'reasoning', text: 'hm' })
    onChunk({ type: 'text', text: '你好' })
    return DONE
  }
  const { run } = await (await house.ask('hi')).finished
  const before = await follow(house, run.id)
  await db.deleteFrom('journal_segment').execute()
  const after = await follow(house, run.id)

  expect(after.map(({ type }) => type)).toEqual(['run_created', 'run_started', 'message_completed', 'run_completed'])
  const completed = (events: ChatEvent[]) => events.find((event) => event.type === 'message_completed')
  expect(completed(after)).toMatchObject({ message: { id: run.answerId, content: '你好', reasoning: 'hm' } })
  expect(completed(after)).toMatchObject(completed(before) ?? {})
  expect(after.at(-1)).toEqual(before.at(-1))
})

test('one that failed says why, also then', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  house.model.script = () => Promise.reject(new TypeError('a bug'))
  const { run } = await (await house.ask('hi')).finished
  await db.deleteFrom('journal_segment').execute()

  expect((await follow(house, run.id)).at(-1)).toMatchObject({
    type: 'run_failed',
    error: { code: 'internal', message: 'internal server error' },
  })
})

test('a reader at the end of a chat gets nothing more, and of a chat nobody knows nothing at all', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  const { run } = await (await house.ask('hi')).finished
  const count = (await follow(house, run.id)).length

  expect(await follow(house, run.id, count)).toEqual([])
  expect(await follow(house, run.id, count - 1)).toHaveLength(1)
  expect(await follow(house, '404')).toEqual([])
})

async function follow({ deps }: ChatHouse, runId: string, cursor = 0): Promise<ChatEvent[]> {
  const events: ChatEvent[] = []
  for await (const page of followRun(deps, { runId, cursor, signal: new AbortController().signal }))
    events.push(...page.map((entry) => entry.event))
  return events
}

function openMemory() {
  const [sqlite] = testDatabases()
  if (!sqlite) throw new Error('no database')
  return sqlite.open()
}
