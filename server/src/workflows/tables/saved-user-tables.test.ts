import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { BOB, createTableHouse, field, people, PEOPLE_ID } from '../../../test/support/user-table-house.ts'
import { findUserTable } from './user-table-store.ts'

const CONFLICT = (message: RegExp) => expect.objectContaining({ code: 'conflict', message: expect.stringMatching(message) })
const fieldsOf = ({ fields }: { fields: { id: string; name: string }[] }) => fields.map(({ id, name }) => `${id} ${name}`)
const [name = field('', 'text'), age = field('', 'text')] = people.fields

describe.each(testDatabases())('definitions of tables on $name', ({ open }) => {
  test('a table is created once, and changed when it is wanted otherwise', async () => {
    await using db = await open()
    const { save } = createTableHouse(db)

    const made = await save(people)
    expect(made).toMatchObject({ ...people, ownerId: '1', revision: 1, change: 'created' })
    expect(await save(people)).toEqual({ ...made, change: 'unchanged' })
    expect(await save({ ...people, description: 'Leute 🚀' })).toMatchObject({ description: 'Leute 🚀', revision: 1, change: 'updated' })
    expect(await findUserTable(db, PEOPLE_ID)).toMatchObject({ ...people, description: 'Leute 🚀' })
  })

  test('without an id it is the oldest of its name, and of its owner', async () => {
    await using db = await open()
    const { save } = createTableHouse(db)
    const wanted = { name: 'notes', description: '', fields: [field('text', 'text')] }

    const { id } = await save(wanted)
    expect(await save({ ...wanted, description: 'new' })).toMatchObject({ id, change: 'updated' })
    expect(await save(wanted, BOB)).toMatchObject({ change: 'created', ownerId: '2' })
  })

  test('the id of another user’s table is refused', async () => {
    await using db = await open()
    const { save } = createTableHouse(db)
    await save(people)

    await expect(save(people, BOB)).rejects.toEqual(CONFLICT(/belongs to another user/))
  })

  test('fields without an id get a free one, and keep it', async () => {
    await using db = await open()
    const { save } = createTableHouse(db)
    const wanted = { name: 'notes', description: '', fields: [field('a', 'text'), field('b', 'text', { id: '1' }), field('c', 'integer')] }

    expect(fieldsOf(await save(wanted))).toEqual(['2 a', '1 b', '3 c'])
    expect(await save(wanted)).toMatchObject({ change: 'unchanged' })
    expect(fieldsOf(await save({ ...wanted, fields: [field('c', 'integer'), ...wanted.fields.slice(0, 2), field('d', 'text')] }))).toEqual([
      '3 c',
      '2 a',
      '1 b',
      '4 d',
    ])
    await expect(save({ ...wanted, fields: [field('a', 'text'), field('x', 'text', { id: '2' })] })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('the id 2 of the field x is taken'),
    })
  })

  test('a table of a hundred fields does not get an id that is kept for others', async () => {
    await using db = await open()
    const { save } = createTableHouse(db)
    const many = Array.from({ length: 110 }, (_none, index) => field(`f${index}`, 'text'))

    const ids = fieldsOf(await save({ name: 'many', description: '', fields: many }))

    expect(ids.filter((id) => /^10[1-4] /.test(id))).toEqual([])
    expect(ids.at(-1)).toBe('114 f109')
  })

  test('rows stay when a field comes, gets another name or another place', async () => {
    await using db = await open()
    const { save, ada } = createTableHouse(db)
    await save(people)
    await ada.execute(PEOPLE_ID, "insert into people (name, age) values ('Ada', 36)", [])

    await save({
      ...people,
      fields: [{ ...age, name: 'years' }, field('city', 'text', { required: true }), ...people.fields.filter((each) => each !== age)],
    })
    await ada.execute(PEOPLE_ID, "insert into people (name, years, city) values ('Bob', 12, 'Rome')", [])

    expect((await ada.execute(PEOPLE_ID, 'select name, years, city from people order by id', [])).rows).toEqual([
      { name: 'Ada', years: 36, city: null },
      { name: 'Bob', years: 12, city: 'Rome' },
    ])
  })

  test('a field is not removed and does not change its type while there are rows', async () => {
    await using db = await open()
    const { save, ada } = createTableHouse(db)
    await save(people)
    await ada.execute(PEOPLE_ID, "insert into people (name, age) values ('Ada', 36)", [])

    await expect(save({ ...people, fields: [name] })).rejects.toEqual(
      CONFLICT(/field age \(id 1785960530945\) cannot be removed while the table has rows\. Delete them first/),
    )
    await expect(
      save({ ...people, fields: people.fields.map((each) => (each === age ? { ...age, type: 'text' as const } : each)) }),
    ).rejects.toEqual(CONFLICT(/type of the field age \(id 1785960530945\) cannot change/))
    expect((await ada.execute(PEOPLE_ID, 'select name, age from people', [])).rows).toEqual([{ name: 'Ada', age: 36 }])
  })

  test('a table without rows can become another one', async () => {
    await using db = await open()
    const { save, ada } = createTableHouse(db)
    await save(people)
    await ada.execute(PEOPLE_ID, "insert into people (name, age) values ('Ada', 36)", [])
    await ada.execute(PEOPLE_ID, 'delete from people', [])

    await save({ ...people, fields: [{ ...age, type: 'text' }] })
    await ada.execute(PEOPLE_ID, "insert into people (age) values ('old')", [])

    expect((await ada.execute(PEOPLE_ID, 'select age from people', [])).rows).toEqual([{ age: 'old' }])
    await expect(ada.execute(PEOPLE_ID, 'select name from people', [])).rejects.toThrow('there is no field "name"')
    const left = await db.introspection.getTables()
    expect(left.map((table) => table.name).filter((each) => each.startsWith('ut_'))).toEqual([`ut_${PEOPLE_ID}_2`])
  })

  test('a definition that is taken back with its transaction leaves nothing, and nothing is made for one that is not used', async () => {
    await using db = await open()
    const { deps, save, ada } = createTableHouse(db)
    const { saveUserTable } = await import('./saved-user-tables.ts')

    const failed = db.transaction().execute(async (tx) => {
      await saveUserTable({ ...deps, db: tx }, { userId: '1' }, people)
      throw new Error('refused')
    })
    await expect(failed).rejects.toThrow('refused')
    await expect(ada.execute(PEOPLE_ID, 'select 1 from people', [])).rejects.toThrow('there is no database')
    await save(people)

    expect((await db.introspection.getTables()).filter((table) => table.name.startsWith('ut_'))).toEqual([])
  })
})
