import { expect } from 'vitest'
import type { Db } from '../../src/db/database.ts'
import { createSnowflake } from '../../src/lib/snowflake.ts'
import { createUserTableHouse } from '../../src/workflows/tables/owner-tables.ts'
import { saveUserTable } from '../../src/workflows/tables/saved-user-tables.ts'
import type { WantedUserTable } from '../../src/workflows/tables/saved-user-tables.ts'
import type { UserField, UserTable } from '../../src/workflows/tables/user-table.ts'
import type { TableResult } from '../../src/workflows/tables/user-tables.ts'
import type { Value } from '../../src/workflows/values/value.ts'

export const ADA = { userId: '1' }
export const BOB = { userId: '2' }
export const PEOPLE_ID = '7478954112676282405'

/** The first of January 2026, and a millisecond later with every look. */
export function createTableHouse(db: Db) {
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = () => ++time.now
  const deps = { db, clock, nextId: createSnowflake(1, clock) }
  const house = createUserTableHouse(deps)
  return {
    deps,
    open: house.open,
    ada: house.open(ADA, { endUser: 'anna' }),
    bob: house.open(BOB, { endUser: '' }),
    save: (wanted: WantedUserTable, who = ADA) => saveUserTable(deps, who, wanted),
  }
}

export const field = (name: string, type: UserField['type'], more: Partial<UserField> = {}) => ({
  ...{ name, type, required: false, description: '' },
  ...more,
})

/** A field of each type, with ids as Coze gives them. */
export const people: WantedUserTable = {
  id: PEOPLE_ID,
  name: 'people',
  description: '',
  fields: [
    field('name', 'text', { id: '1783122026497' }),
    field('age', 'integer', { id: '1785960530945' }),
    field('score', 'float', { id: '3' }),
    field('active', 'boolean', { id: '4' }),
    field('born', 'time', { id: '5' }),
  ],
}

/** Without a database; its fields are texts and have the ids 1, 2, … */
export function createUserTable(id: string, name: string, fields: string[]): UserTable {
  const texts = fields.map((each, index) => ({ ...field(each, 'text'), id: String(index + 1) }))
  return { id, ownerId: ADA.userId, name, description: '', fields: texts, revision: 1, createdAt: 0, updatedAt: 0 }
}

/** Empty and of its owner's alone, or with what people and orders usually have. */
export type SqlHouse = AsyncDisposable & {
  db: Db
  house: ReturnType<typeof createTableHouse>
  run(sql: string, bound?: string[]): Promise<TableResult>
  /** The values of its rows. */
  valuesOf(sql: string, bound?: string[]): Promise<Value[][]>
}

/** Runs SQL as a node of ADA's that names the table `people`; there is a table `orders` too. */
export async function openSqlHouse(db: Db & AsyncDisposable, { isEmpty = false } = {}): Promise<SqlHouse> {
  const house = createTableHouse(db)
  await house.save(people)
  await house.save(orders)
  const run = (sql: string, bound: string[] = []) => house.ada.execute(PEOPLE_ID, sql, bound)
  if (!isEmpty) {
    await run(`insert into people (name, age, score, active, born) values
      ('Ada', 36, 1.5, true, '1815-12-10'), ('Bob', 12, 2, false, '2014-01-01'), ('Zoë', null, null, null, null)`)
    await run("insert into orders (person, item, count) values ('Ada', 'book', 2), ('Ada', 'pen', 3), ('Bob', 'book', 1)")
  }
  return {
    ...{ db, house, run },
    valuesOf: async (sql, bound) => (await run(sql, bound)).rows.map((row) => Object.values(row)),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  }
}

const orders: WantedUserTable = {
  ...{ id: '99', name: 'orders', description: '' },
  fields: [field('person', 'text'), field('item', 'text'), field('count', 'integer', { required: true })],
}

/** A NodeError with this message. */
export const refusal = (message: RegExp) => expect.objectContaining({ name: 'NodeError', message: expect.stringMatching(message) })

/** The lines of a text, without those that are blank. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
