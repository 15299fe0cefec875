import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import type { NewAuditEntry } from './audit-entry.ts'
import { appendAuditEntry, listAuditLog } from './audit-log.ts'
import { verifyAuditLog } from './verify-audit-log.ts'

const secrets = createSecretBox('master')
const actor = { kind: 'session', userId: '7', address: '203.0.113.7' } as const
const published: NewAuditEntry = { actor, action: 'agent.publish', target: { kind: 'agent', id: '123456' }, details: { version: '1.0.0' } }

const openLog = (db: Db) => {
  let now = 1_000
  const deps = { db, secrets, clock: () => now++ }
  return {
    deps,
    append: (entry: Partial<NewAuditEntry> = {}) => appendAuditEntry(deps, { ...published, ...entry }),
    verify: () => verifyAuditLog(deps),
    async fill(count: number) {
      for (let made = 0; made < count; made++) await appendAuditEntry(deps, { ...published, details: { version: `1.0.${made}` } })
    },
  }
}

describe.each(testDatabases())('the audit log on $name', ({ open }) => {
  test('says who did what, newest first', async () => {
    await using db = await open()
    const { append, deps } = openLog(db)
    await append()
    await append({ actor: { kind: 'key', userId: '9', keyId: '3', address: '' }, action: 'agent.update', details: {} })
    await append({ actor: { kind: 'command', address: 'ada@host' }, action: 'key.delete', target: { kind: 'key', id: '3' } })

    const page = { page: 1, size: 10 }
    const { entries, total } = await listAuditLog(deps, page)
    expect(total).toBe(3)
    expect(entries.map(({ id, action }) => `${id} ${action}`)).toEqual(['3 key.delete', '2 agent.update', '1 agent.publish'])
    expect(entries[2]).toEqual({ id: '1', at: 1_000, ...published, actor: { ...actor, keyId: undefined } })
    const idsOf = async (filter: object) => (await listAuditLog(deps, { ...page, ...filter })).entries.map(({ id }) => id)
    expect(await idsOf({ actorUserId: '9' })).toEqual(['2'])
    expect(await idsOf({ actorKind: 'command' })).toEqual(['3'])
    expect(await idsOf({ action: 'agent.' })).toEqual(['2', '1'])
    expect(await idsOf({ action: 'agent.update' })).toEqual(['2'])
    expect(await idsOf({ from: 1_001, to: 1_002 })).toEqual(['2'])
    expect((await listAuditLog(deps, { page: 2, size: 2 })).entries.map(({ id }) => id)).toEqual(['1'])
  })

  test('a log that nobody touched is whole, however long, and with every kind of text', async () => {
    await using db = await open()
    const { append, verify, fill } = openLog(db)
    expect(await verify()).toMatchObject({ isWhole: true, entries: 0 })
    await append({
      details: { odd: '\ud800 💥 \u0000 ﬀ ß  ', long: 'é'.repeat(3_000), yes: true, none: 0 },
      target: { kind: 'agent', id: 'A '.repeat(90) },
    })
    await append({
      actor: { kind: 'session', address: '\udfff'.repeat(300) },
      details: Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, '"'.repeat(200)])),
    })
    await fill(1_010)
    expect(await verify()).toMatchObject({ isWhole: true, entries: 1_012 })
  })

  test('100 entries at once make one chain', async () => {
    await using db = await open()
    const { append, verify, deps } = openLog(db)
    await Promise.all(Array.from({ length: 100 }, () => append()))
    expect(await verify()).toMatchObject({ isWhole: true, entries: 100 })
    expect((await listAuditLog(deps, { page: 1, size: 1 })).total).toBe(100)
  })

  test('an entry within a transaction that fails is none', async () => {
    await using db = await open()
    const { deps, append, verify } = openLog(db)
    await append()
    const failing = db.transaction().execute(async (tx) => {
      await appendAuditEntry({ ...deps, db: tx }, published)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await append()
    expect(await verify()).toMatchObject({ isWhole: true, entries: 2 })
  })
})

/** What somebody does who can write to the database, and what is said of it. */
const tampering: [string, (db: Db) => Promise<unknown>, { entryId: string; problem: string }][] = [
  ['changes what was done', (db) => at(db, 3).set({ action: 'agent.delete' }).execute(), { entryId: '3', problem: 'altered' }],
  ['changes who did it', (db) => at(db, 3).set({ actor_user_id: '8' }).execute(), { entryId: '3', problem: 'altered' }],
  ['changes the details', (db) => at(db, 5).set({ details: '{}' }).execute(), { entryId: '5', problem: 'altered' }],
  ['changes a time', (db) => at(db, 1).set({ at: 5 }).execute(), { entryId: '1', problem: 'altered' }],
  ['takes one out', (db) => removed(db, '3', '3'), { entryId: '3', problem: 'missing' }],
  ['takes the first out', (db) => removed(db, '1', '1'), { entryId: '1', problem: 'missing' }],
  ['cuts the end off', (db) => removed(db, '4', '5'), { entryId: '4', problem: 'cut_short' }],
  ['takes everything', (db) => removed(db, '1', '5'), { entryId: '1', problem: 'cut_short' }],
  ['cuts the end off and says that it was shorter', cutAndForget, { entryId: '0', problem: 'head_altered' }],
  ['puts one in at the end', (db) => copied(db, '6'), { entryId: '6', problem: 'altered' }],
  ['puts one in before the first', (db) => copied(db, '-1'), { entryId: '-1', problem: 'altered' }],
  ['makes two change places', swapped, { entryId: '2', problem: 'altered' }],
  ['takes one out and closes the gap', closedUp, { entryId: '3', problem: 'altered' }],
  ['removes the head', (db) => db.deleteFrom('audit_head').execute(), { entryId: '0', problem: 'head_altered' }],
]

const at = (db: Db, id: number) => db.updateTable('audit_entry').where('id', '=', String(id))
const removed = (db: Db, from: string, to: string) => db.deleteFrom('audit_entry').where('id', '>=', from).where('id', '<=', to).execute()

async function cutAndForget(db: Db): Promise<void> {
  await removed(db, '4', '5')
  const { hash } = await db.selectFrom('audit_entry').select('hash').where('id', '=', '3').executeTakeFirstOrThrow()
  await db.updateTable('audit_head').set({ entries: 3, hash }).execute()
}

async function copied(db: Db, id: string): Promise<void> {
  const row = await db.selectFrom('audit_entry').selectAll().where('id', '=', '5').executeTakeFirstOrThrow()
  const text = (value: number | string | null) => (value === null ? null : String(value))
  const copy = { ...row, id, prev_hash: row.hash, actor_user_id: text(row.actor_user_id), key_id: text(row.key_id) }
  await db.insertInto('audit_entry').values(copy).execute()
}

async function swapped(db: Db): Promise<void> {
  for (const [from, to] of [
    ['2', '99'],
    ['4', '2'],
    ['99', '4'],
  ] as const)
    await db.updateTable('audit_entry').set({ id: to }).where('id', '=', from).execute()
}

async function closedUp(db: Db): Promise<void> {
  await removed(db, '3', '3')
  for (const [from, to] of [
    ['4', '3'],
    ['5', '4'],
  ] as const)
    await db.updateTable('audit_entry').set({ id: to }).where('id', '=', from).execute()
}

describe.each(testDatabases())('somebody who can write to the database ($name)', ({ open }) => {
  test.each(tampering)('%s: it is seen', async (_name, tamper, found) => {
    await using db = await open()
    const { fill, verify } = openLog(db)
    await fill(5)
    expect(await verify()).toMatchObject({ isWhole: true, entries: 5 })
    await tamper(db)
    expect(await verify()).toMatchObject({ isWhole: false, ...found })
  })

  test('has not the master key: another one’s log is no log', async () => {
    await using db = await open()
    const { fill } = openLog(db)
    await fill(2)
    expect(await verifyAuditLog({ db, secrets: createSecretBox('another') })).toMatchObject({ isWhole: false })
  })
})
