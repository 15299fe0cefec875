import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../../test/support/test-databases.ts'
import type { TestDatabase } from '../../../test/support/test-databases.ts'
import { BOB, createTableHouse, field, people, PEOPLE_ID, refusal } from '../../../test/support/user-table-house.ts'
import type { TableOperation, TableQuery, TableWhere } from './user-tables.ts'
import { toText } from '../values/value-text.ts'
import { printValue } from '../values/value.ts'
import type { Value } from '../values/value.ts'

const all: TableQuery = { fields: [], isDistinct: false, orderBy: [], limit: 1_000 }
const where = (field: string, operation: TableOperation, value: Value = null): TableWhere => ({
  logic: 'and',
  conditions: [{ field, operation, value }],
})
const valuesOf = (row: Record<string, Value>) => Object.entries(row).map(([field, value]) => ({ field, value }))

async function openPeople(open: TestDatabase['open'], rows: Record<string, Value>[] = []) {
  const db = await open()
  const house = createTableHouse(db)
  await house.save(people)
  for (const row of rows) await house.ada.insert(PEOPLE_ID, valuesOf(row))
  return Object.assign(house, { db, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() })
}

type House = Awaited<ReturnType<typeof openPeople>>
const namesFor = async ({ ada }: House, condition: TableWhere) =>
  (await ada.query(PEOPLE_ID, { ...all, fields: ['name'], where: condition })).rows.map(({ name }) => name)

describe.each(testDatabases())('tables of users on $name', ({ open }) => {
  test('a row comes back as it was put in, with its types', async () => {
    await using house = await openPeople(open)
    const row = { name: '王小明 🚀 \'"`\\', age: 9_007_199_254_740_993n, score: 1.5, active: true, born: '2026-01-31 18:30:00' }

    const inserted = await house.ada.insert(PEOPLE_ID, valuesOf(row))
    const read = await house.ada.query(PEOPLE_ID, all)

    expect(inserted).toEqual({ rows: [{ id: expect.any(Number) }], rowCount: 1, isCut: false })
    expect(read).toEqual({ rows: [row], rowCount: 1, isCut: false })
    const system = await house.ada.query(PEOPLE_ID, { ...all, fields: ['102', '101', '103'] })
    expect(system.rows).toEqual([{ id: inserted.rows[0]?.id, uuid: 'anna', bstudio_create_time: '2026-01-01 00:00:00' }])
  })

  test('a value is kept as what its field is', async () => {
    await using house = await openPeople(open)
    const cases: [string, Value, Value][] = [
      ['age', '-9223372036854775808', -9_223_372_036_854_775_808n],
      ['age', 9_223_372_036_854_775_807n, 9_223_372_036_854_775_807n],
      ['age', ' 12 ', 12],
      ['age', 1.9, 1],
      ['age', '', null],
      ['age', null, null],
      ['score', '1e3', 1000],
      ['score', -0.25, -0.25],
      ['score', 3, 3],
      ['active', 'true', true],
      ['active', '0', false],
      ['active', 1, true],
      ['born', '2026-02-03', '2026-02-03 00:00:00'],
      ['born', '2026-02-03T04:05', '2026-02-03 04:05:00'],
      ['born', '2026-02-03T04:05:06.789+02:00', '2026-02-03 02:05:06'],
      ['born', '2026-02-03 04:05:06Z', '2026-02-03 04:05:06'],
      ['name', '', ''],
      ['name', ' a ', ' a '],
      ['name', 12, '12'],
      ['name', true, 'true'],
      ['name', { b: [1, null], a: 2 }, '{"a":2,"b":[1,null]}'],
    ]
    for (const [name, given] of cases) await house.ada.insert(PEOPLE_ID, [{ field: name, value: given }])

    const { rows } = await house.ada.query(PEOPLE_ID, all)
    expect(rows.map((row, at) => row[cases[at]?.[0] ?? ''])).toEqual(cases.map(([, , kept]) => kept))
  })

  test('a value that is none of its field is refused, and says so', async () => {
    await using house = await openPeople(open)
    const cases: [string, Value, RegExp][] = [
      ['age', 'twelve', /field age takes a whole number.*"twelve"/],
      ['age', '9223372036854775808', /field age/],
      ['age', true, /field age/],
      ['score', 'NaN', /field score takes a number/],
      ['active', 'yes', /field active takes true or false/],
      ['active', 2, /field active/],
      ['born', '31.1.2026', /field born takes a time/],
      ['born', '2026-02-31', /field born/],
      ['born', '2026-13-01', /field born/],
      ['born', 1_769_884_200, /field born/],
      ['nickname', 'x', /database people \(7478954112676282405\) has no field "nickname": define it in the manifest's databases:/],
      ['id', 7, /id is kept by the server/],
      ['101', 'bob', /uuid is kept by the server/],
    ]
    for (const [name, given, message] of cases)
      await expect(house.ada.insert(PEOPLE_ID, [{ field: name, value: given }]), `${name} ${printValue(given)}`).rejects.toEqual(
        refusal(message),
      )

    expect((await house.ada.query(PEOPLE_ID, all)).rows).toEqual([])
  })

  test('fields are named by id or name, in any case', async () => {
    await using house = await openPeople(open, [{ '1783122026497': 'Ada', AGE: 36 }])

    const { rows } = await house.ada.query(PEOPLE_ID, { ...all, fields: ['Name', '1785960530945'], where: where('nAmE', 'EQUAL', 'Ada') })

    expect(rows).toEqual([{ name: 'Ada', age: 36 }])
  })

  test('19 digits are told apart to the last', async () => {
    await using house = await openPeople(open, [
      { name: 'one', age: '7478954112676282405' },
      { name: 'other', age: '7478954112676282406' },
    ])

    expect(await namesFor(house, where('age', 'EQUAL', '7478954112676282406'))).toEqual(['other'])
    expect(await namesFor(house, where('age', 'IN', [7478954112676282405n]))).toEqual(['one'])
  })

  test('rows come in the order that is asked for, else in that of their writing, and not more than asked for', async () => {
    await using house = await openPeople(open, [
      { name: 'b', age: 1 },
      { name: 'a', age: 1 },
      { name: 'a', age: 2 },
      { name: 'B', age: null },
    ])
    const read = async (query: Partial<TableQuery>) =>
      (await house.ada.query(PEOPLE_ID, { ...all, fields: ['name'], ...query })).rows.map(({ name }) => toText(name ?? null)).join('')

    expect(await read({})).toBe('baaB')
    expect(await read({ limit: 2 })).toBe('ba')
    expect(await read({ orderBy: [{ field: 'name', isAscending: true }] })).toBe('Baab')
    expect(
      await read({
        orderBy: [
          { field: 'age', isAscending: false },
          { field: 'name', isAscending: true },
        ],
      }),
    ).toBe('aabB')
    expect(await read({ isDistinct: true, orderBy: [{ field: 'name', isAscending: false }] })).toBe('baB')
  })

  test('an update writes into the rows that fit, and can make a field empty', async () => {
    await using house = await openPeople(open, [
      { name: 'Ada', age: 36 },
      { name: 'Bob', age: 12 },
    ])

    const changed = await house.ada.update(PEOPLE_ID, {
      where: where('age', 'LESS_THAN', 20),
      values: valuesOf({ age: null, name: 'B; drop table people' }),
    })
    const none = await house.ada.update(PEOPLE_ID, { where: where('age', 'EQUAL', 7), values: valuesOf({ age: 1 }) })
    const same = await house.ada.update(PEOPLE_ID, { where: where('name', 'EQUAL', 'Ada'), values: valuesOf({ name: 'Ada' }) })

    expect([changed, none, same].map(({ rowCount }) => rowCount)).toEqual([1, 0, 1])
    expect((await house.ada.query(PEOPLE_ID, { ...all, fields: ['name', 'age'] })).rows).toEqual([
      { name: 'Ada', age: 36 },
      { name: 'B; drop table people', age: null },
    ])
  })

  test('a delete takes the rows that fit', async () => {
    await using house = await openPeople(open, [{ name: 'Ada' }, { name: 'Bob' }])

    expect(await house.ada.delete(PEOPLE_ID, where('name', 'EQUAL', 'Bob'))).toEqual({ rows: [], rowCount: 1, isCut: false })
    expect(await namesFor(house, where('name', 'IS_NOT_NULL'))).toEqual(['Ada'])
  })

  test('what is required must be there and stay there', async () => {
    await using house = await openPeople(open)
    const { id } = await house.save({
      name: 'orders',
      description: '',
      fields: [field('item', 'text', { required: true }), field('count', 'integer')],
    })

    await expect(house.ada.insert(id, valuesOf({ count: 1 }))).rejects.toEqual(refusal(/field item is required/))
    await expect(house.ada.insert(id, valuesOf({ item: null }))).rejects.toEqual(refusal(/field item is required/))
    await expect(house.ada.insert(id, [])).rejects.toEqual(refusal(/field item is required/))
    await house.ada.insert(id, valuesOf({ item: '' }))
    await expect(house.ada.update(id, { where: where('item', 'IS_NOT_NULL'), values: valuesOf({ item: null }) })).rejects.toEqual(
      refusal(/field item is required/),
    )
  })

  test('a table of another user does not exist, nor one with a strange id', async () => {
    await using house = await openPeople(open, [{ name: 'Ada' }])
    const noSuch = refusal(/there is no database .*define it in the manifest's databases:/)

    for (const id of [PEOPLE_ID, '7478954112676282406', '', 'people', '0', '1 or 1=1', '-1', '9'.repeat(30)]) {
      await expect(house.bob.query(id, all), id).rejects.toEqual(noSuch)
      await expect(house.bob.insert(id, valuesOf({ name: 'x' })), id).rejects.toEqual(noSuch)
      await expect(house.bob.update(id, { where: where('name', 'EQUAL', 'Ada'), values: valuesOf({ name: 'x' }) }), id).rejects.toEqual(
        noSuch,
      )
      await expect(house.bob.delete(id, where('name', 'EQUAL', 'Ada')), id).rejects.toEqual(noSuch)
      await expect(house.bob.execute(id, 'select * from people', []), id).rejects.toEqual(noSuch)
    }
    expect((await house.ada.query(PEOPLE_ID, all)).rowCount).toBe(1)
  })

  test('two users have tables of one name, each their own rows', async () => {
    await using house = await openPeople(open, [{ name: 'Ada' }])
    const { id } = await house.save({ ...people, id: undefined }, BOB)
    await house.bob.insert(id, valuesOf({ name: 'Bob' }))

    expect((await house.bob.execute(id, 'select name from people', [])).rows).toEqual([{ name: 'Bob' }])
    expect((await house.ada.execute(PEOPLE_ID, 'select name from people', [])).rows).toEqual([{ name: 'Ada' }])
  })
})

describe.each(testDatabases())('many and large rows on $name', ({ open }) => {
  test('many rows written at once are all there, each once', async () => {
    await using house = await openPeople(open)
    const ages = Array.from({ length: 100 }, (_none, age) => age)

    const inserted = await Promise.all(ages.map((age) => house.ada.insert(PEOPLE_ID, valuesOf({ age }))))

    const { rows } = await house.ada.query(PEOPLE_ID, { ...all, fields: ['age'], orderBy: [{ field: 'age', isAscending: true }] })
    expect(rows.map(({ age }) => age)).toEqual(ages)
    expect(new Set(inserted.map((result) => result.rows[0]?.id)).size).toBe(100)
  })

  test('changes of one row at once are all done', async () => {
    await using house = await openPeople(open, [{ name: 'Ada', age: 0 }])

    await Promise.all(Array.from({ length: 20 }, () => house.ada.execute(PEOPLE_ID, 'update people set age = age + 1', [])))

    expect((await house.ada.query(PEOPLE_ID, { ...all, fields: ['age'] })).rows).toEqual([{ age: 20 }])
  })

  test('a new table that several processes use at once is made once', async () => {
    await using house = await openPeople(open)
    const processes = [house, ...Array.from({ length: 5 }, () => createTableHouse(house.db))]

    await Promise.all(
      processes.map(({ ada }, age) => ada.update(PEOPLE_ID, { where: where('age', 'EQUAL', age), values: valuesOf({ age }) })),
    )

    expect((await house.ada.query(PEOPLE_ID, all)).rows).toEqual([])
  })

  test('large rows are kept, too large ones refused, and not more is read than a run can bear', async () => {
    await using house = await openPeople(open)
    const large = 'é'.repeat(900_000)

    await house.ada.insert(PEOPLE_ID, valuesOf({ name: large, age: 1 }))
    await house.ada.insert(PEOPLE_ID, valuesOf({ name: large, age: 2 }))

    expect((await house.ada.query(PEOPLE_ID, { ...all, where: where('age', 'EQUAL', 2) })).rows[0]?.name === large).toBe(true)
    await expect(house.ada.query(PEOPLE_ID, all)).rejects.toEqual(refusal(/more than 1000000 characters: read fewer/))
    await expect(house.ada.insert(PEOPLE_ID, valuesOf({ name: 'x'.repeat(1_000_001) }))).rejects.toEqual(
      refusal(/more than 1000000 characters/),
    )
    expect((await house.ada.query(PEOPLE_ID, { ...all, fields: ['age'] })).rowCount).toBe(2)
  })

  test('at most a thousand rows are read', async () => {
    await using house = await openPeople(open)
    const rows = Array.from({ length: 1_001 }, (_none, age) => `(${age})`)
    const inserted = await house.ada.execute(PEOPLE_ID, `insert into people (age) values ${rows.join(', ')}`, [])

    expect(inserted).toMatchObject({ rowCount: 1_001, isCut: false })
    expect(await house.ada.query(PEOPLE_ID, { ...all, fields: ['age'], limit: 1_000 })).toMatchObject({ rowCount: 1_000, isCut: false })
    expect(await house.ada.query(PEOPLE_ID, { ...all, fields: ['age'], limit: 9_999 })).toMatchObject({ rowCount: 1_000, isCut: true })
    expect(await house.ada.execute(PEOPLE_ID, 'select age from people', [])).toMatchObject({ rowCount: 1_000, isCut: true })
    expect(await house.ada.execute(PEOPLE_ID, 'select age from people limit 1000', [])).toMatchObject({ rowCount: 1_000, isCut: false })
  })
})

describe.each(testDatabases())('conditions of tables on $name', ({ open }) => {
  const rows = [
    { name: 'Ada', age: 36, score: 1.5, active: true, born: '1815-12-10' },
    { name: 'bob', age: 12, score: 2, active: false, born: '2014-01-01' },
    { name: 'Zoë', age: null, score: null, active: null, born: null },
    { name: 'ada ', age: 120, score: -1, active: true, born: '1900-01-01 10:00:00' },
  ]
  test('each operation finds the rows that it says', async () => {
    await using house = await openPeople(open, rows)
    const cases: [string, TableOperation, Value, string[]][] = [
      ['name', 'EQUAL', 'Ada', ['Ada']],
      ['name', 'NOT_EQUAL', 'Ada', ['bob', 'Zoë', 'ada ']],
      ['name', 'EQUAL', 'ADA', []],
      ['name', 'EQUAL', 'ada', []],
      ['age', 'EQUAL', '36', ['Ada']],
      ['age', 'GREATER_THAN', 36, ['ada ']],
      ['age', 'GREATER_EQUAL', 36, ['Ada', 'ada ']],
      ['age', 'LESS_THAN', 36, ['bob']],
      ['age', 'LESS_EQUAL', '36', ['Ada', 'bob']],
      ['age', 'EQUAL', null, []],
      ['age', 'NOT_EQUAL', null, []],
      ['age', 'IN', [12, '120'], ['bob', 'ada ']],
      ['age', 'IN', '[36, 12]', ['Ada', 'bob']],
      ['age', 'IN', 36, ['Ada']],
      ['age', 'IN', [], []],
      ['age', 'NOT_IN', [12, 120], ['Ada']],
      ['age', 'NOT_IN', [], ['Ada', 'bob', 'Zoë', 'ada ']],
      ['age', 'NOT_IN', null, []],
      ['age', 'IS_NULL', null, ['Zoë']],
      ['age', 'IS_NOT_NULL', null, ['Ada', 'bob', 'ada ']],
      ['age', 'LIKE', '2', ['bob', 'ada ']],
      ['name', 'LIKE', 'AD', ['Ada', 'ada ']],
      ['name', 'LIKE', 'a%', ['Ada', 'ada ']],
      ['name', 'LIKE', '%b', ['bob']],
      ['name', 'NOT_LIKE', 'a', ['bob', 'Zoë']],
      ['score', 'EQUAL', 2, ['bob']],
      ['score', 'LESS_THAN', '1.6', ['Ada', 'ada ']],
      ['active', 'EQUAL', true, ['Ada', 'ada ']],
      ['active', 'EQUAL', 'false', ['bob']],
      ['active', 'BE_TRUE', null, ['Ada', 'ada ']],
      ['active', 'BE_FALSE', null, ['bob']],
      ['born', 'EQUAL', '2014-01-01T00:00:00Z', ['bob']],
      ['born', 'LESS_THAN', '1900-01-02', ['Ada', 'ada ']],
      ['uuid', 'EQUAL', 'anna', ['Ada', 'bob', 'Zoë', 'ada ']],
    ]

    for (const [name, operation, value, found] of cases)
      expect(await namesFor(house, where(name, operation, value)), `${name} ${operation} ${printValue(value)}`).toEqual(found)
  })

  test('several hold together, or one of them does', async () => {
    await using house = await openPeople(open, rows)
    const conditions = [...where('age', 'GREATER_THAN', 20).conditions, ...where('name', 'LIKE', 'b').conditions]

    expect(await namesFor(house, { logic: 'and', conditions })).toEqual([])
    expect(await namesFor(house, { logic: 'or', conditions })).toEqual(['Ada', 'bob', 'ada '])
  })

  test('a value that is none of the type is refused, not passed over', async () => {
    await using house = await openPeople(open, rows)

    await expect(namesFor(house, where('age', 'EQUAL', 'old'))).rejects.toEqual(
      refusal(/field age is of type integer: it cannot be compared with old/),
    )
    await expect(house.ada.delete(PEOPLE_ID, where('age', 'GREATER_THAN', 'old'))).rejects.toEqual(refusal(/cannot be compared/))
  })
})
