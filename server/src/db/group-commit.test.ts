import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { AppError } from '../lib/app-error.ts'
import { isDuplicate } from './database.ts'
import type { Db } from './database.ts'
import { createGroupCommit } from './group-commit.ts'
import type { WriteUnit } from './group-commit.ts'

const OK = { status: 'fulfilled' }

describe.each(testDatabases())('writes that are ready together, on $name', ({ open }) => {
  test('share transactions, and all are stored', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    const transactions = new Set<Db>()
    const units = numbers(300).map((id) => ({ ...inserting(id), update: async (tx: Db) => transactions.add(tx) }))

    await Promise.all(units.map((unit) => commits.write(unit)))

    expect(transactions.size).toBe(3)
    expect(await storedIds(db)).toEqual(numbers(300))
  })

  test('a refused one is refused alone, and nothing of it is written', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    const refusal = new AppError('conversation_busy', 'wait')
    const refused = { ...inserting(2, 3), guard: () => Promise.reject(refusal), update: renaming(1, 'never') }

    const results = await Promise.allSettled([inserting(1), refused, inserting(4)].map((unit) => commits.write(unit)))

    expect(results).toMatchObject([OK, { status: 'rejected', reason: refusal }, OK])
    expect(await stored(db)).toEqual({ 1: 'file 1', 4: 'file 4' })
  })

  test('a bad one fails alone, and nothing of it is written', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    await commits.write(inserting(5))
    const units = [inserting(1), inserting(2, 5), inserting(3), { ...inserting(4), update: () => Promise.reject(new Error('a bug')) }]

    const results = await Promise.allSettled(units.map((unit) => commits.write(unit)))

    expect(results).toMatchObject([OK, { status: 'rejected' }, OK, { status: 'rejected', reason: new Error('a bug') }])
    expect(results.map((result) => result.status === 'rejected' && isDuplicate(result.reason))).toEqual([false, true, false, false])
    expect(await storedIds(db)).toEqual([1, 3, 5])
  })

  test('a guard with a bug fails alone, and what it has done is undone', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    await commits.write(inserting(1))
    const guard = async (tx: Db) => {
      await renaming(1, 'never')(tx)
      throw new TypeError('a bug')
    }
    const results = await Promise.allSettled([inserting(2), { ...inserting(3), guard }, inserting(4)].map((unit) => commits.write(unit)))

    expect(results).toMatchObject([OK, { status: 'rejected', reason: new TypeError('a bug') }, OK])
    expect(await stored(db)).toEqual({ 1: 'file 1', 2: 'file 2', 4: 'file 4' })
  })

  test('a guard sees what is stored, an update sees what its own unit inserted', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    const seen: Record<string, number[]> = {}
    const unit: WriteUnit = {
      guard: async (tx) => void (seen.guard = await storedIds(tx)),
      ...inserting(2),
      update: async (tx) => void (seen.update = await storedIds(tx)),
    }
    await commits.write(inserting(1))
    await commits.write(unit)

    expect(seen).toEqual({ guard: [1], update: [1, 2] })
  })

  test('updates happen in the order in which they were handed in', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    await commits.write(inserting(1))

    await Promise.all(numbers(200).map((number) => commits.write({ update: renaming(1, `name ${number}`) })))

    expect(await stored(db)).toEqual({ 1: 'name 200' })
  })

  test('of two that claim the same thing one wins', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    await commits.write(inserting(100))
    const claims = numbers(20).map((id) => ({ ...inserting(id), guard: claiming(100, `taken by ${id}`) }))

    const results = await Promise.allSettled(claims.map((unit) => commits.write(unit)))

    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', ...Array<string>(19).fill('rejected')])
    expect(await stored(db)).toEqual({ 1: 'file 1', 100: 'taken by 1' })
  })

  test('are not refused because they are large together', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    const names = numbers(20).map((number) => `${number} `.padEnd(400_000, '长'))

    const results = await Promise.allSettled(names.map((name, at) => commits.write(insertingMessage(at + 1, name))))

    expect(new Set(results.map((result) => result.status))).toEqual(new Set(['fulfilled']))
    const rows = await db.selectFrom('message').select('content').orderBy('id').execute()
    expect(rows.map((row) => row.content.length)).toEqual(names.map((name) => name.length))
  })

  test('idle waits for all of them, also for those that come meanwhile', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    const later = commits.write(inserting(1)).then(() => commits.write(inserting(2)))
    await commits.idle()
    await later
    const rest = numbers(200).map((id) => commits.write(inserting(id + 2)))
    await commits.idle()

    expect(await storedIds(db)).toHaveLength(202)
    await Promise.all(rest)
    await commits.idle()
  })
})

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1)

function inserting(...ids: number[]): WriteUnit {
  const row = (id: number) => ({
    ...{ id: String(id), owner_id: '1', name: `file ${id}`, size_bytes: 1 },
    ...{ mime: 'text/plain', object_key: `key ${id}`, created_at: 1 },
  })
  return { insert: { file: ids.map(row) } }
}

function insertingMessage(id: number, content: string): WriteUnit {
  const row = { id: String(id), conversation_id: '1', section_id: '1', role: 'user' as const, type: 'question' as const }
  return { insert: { message: [{ ...row, content, content_type: 'text', reasoning: '', meta_data: '', created_at: 1, updated_at: 1 }] } }
}

const renaming = (id: number, name: string) => (tx: Db) => tx.updateTable('file').set({ name }).where('id', '=', String(id)).execute()

/** As a conversation is claimed by a chat: who changes the row first has it. */
const claiming = (id: number, name: string) => async (tx: Db) => {
  const free = tx.updateTable('file').set({ name }).where('id', '=', String(id)).where('name', 'not like', 'taken%')
  const { numUpdatedRows } = await free.executeTakeFirst()
  if (numUpdatedRows === 0n) throw new AppError('conversation_busy', 'taken')
}

async function stored(db: Db): Promise<Record<string, string>> {
  const rows = await db.selectFrom('file').select(['id', 'name']).orderBy('id').execute()
  return Object.fromEntries(rows.map((row) => [String(row.id), row.name]))
}

const storedIds = async (db: Db) => Object.keys(await stored(db)).map(Number)
