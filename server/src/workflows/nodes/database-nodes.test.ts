import { describe, expect, test } from 'vitest'
import { drawCanvas, input, literal, params, ref } from '../../../test/support/canvas-builder.ts'
import type { Input, TypeFields } from '../../../test/support/canvas-builder.ts'
import { engineHouse } from '../../../test/support/engine-house.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { createTableHouse, people, PEOPLE_ID } from '../../../test/support/user-table-house.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import type { UserTables } from '../tables/user-tables.ts'
import type { ValueObject } from '../values/value.ts'

const NAME = '1783122026497'
const AGE = '1785960530945'
const ROWS: TypeFields = { outputList: [{ name: 'string', age: 'integer' }], rowNum: 'integer' }
const UNTYPED: TypeFields = { outputList: [{}], rowNum: 'integer' }

const database = (id = PEOPLE_ID) => ({ databaseInfoList: [{ databaseInfoID: id }] })
const condition = (left: string, operation: string, right?: Input) => [
  ...params({ left, operation }),
  ...(right === undefined ? [] : [{ name: 'right', input: input(right) }]),
]
const fieldInfo = (values: Record<string, Input>) => Object.entries(values).map(([id, value]) => params({ fieldID: id, fieldValue: value }))
const where = (...conditionList: unknown[]) => ({ condition: { conditionList, logic: 'AND' } })

/** A workflow of this one node; its outputs are the results. */
const single = (type: number, inputs: Record<string, unknown>, outputs: TypeFields = ROWS) =>
  drawCanvas()
    .entry({ name: 'string', age: 'integer', ages: ['integer'], flag: 'boolean' })
    .node('101', type, { inputs: { ...database(), ...inputs }, outputs })
    .exit({
      rows: ref('101.outputList', [outputs === UNTYPED ? {} : { name: 'string', age: 'integer' }]),
      count: ref('101.rowNum', 'integer'),
    })
    .edges('entry > 101 > exit')
    .build()

const run = (tables: UserTables, canvas: ReturnType<typeof single>, args: ValueObject = {}) =>
  engineHouse({ services: { tables } }).run(canvas, args)

describe.each(testDatabases())('workflows with databases on $name', ({ open }) => {
  test('a row is inserted, changed, read and deleted, the values coming from other nodes', async () => {
    await using db = await open()
    const house = createTableHouse(db)
    await house.save(people)
    const canvas = drawCanvas()
      .entry({ name: 'string', age: 'integer' })
      .node('101', 46, {
        inputs: { ...database(), insertParam: { fieldInfo: fieldInfo({ [NAME]: ref('entry.name'), [AGE]: ref('entry.age', 'integer') }) } },
        outputs: UNTYPED,
      })
      .node('102', 42, {
        inputs: {
          ...database(),
          updateParam: { ...where(condition('name', 'EQUAL', ref('entry.name'))), fieldInfo: fieldInfo({ [AGE]: 37 }) },
        },
        outputs: UNTYPED,
      })
      .node('103', 43, {
        inputs: {
          ...database(),
          selectParam: {
            ...where(condition('age', 'EQUAL', 37), condition('name', 'IS_NOT_NULL')),
            fieldList: [
              { fieldID: Number(NAME), isDistinct: false },
              { fieldID: AGE, isDistinct: false },
            ],
            orderByList: [{ fieldID: Number(AGE), isAsc: false }],
            limit: 10,
          },
        },
        outputs: ROWS,
      })
      .node('104', 44, {
        inputs: { ...database(), deleteParam: where(condition('id', 'EQUAL', ref('101.outputList.id'))) },
        outputs: UNTYPED,
      })
      .exit({
        rows: ref('103.outputList', [{ name: 'string', age: 'integer' }]),
        changed: ref('102.rowNum', 'integer'),
        gone: ref('104.rowNum', 'integer'),
      })
      .edges('entry > 101 > 102 > 103 > 104 > exit')
      .build()

    const outputs = await run(house.ada, canvas, { name: "Ada'; --", age: 36 })

    expect(outputs).toEqual({ rows: [{ name: "Ada'; --", age: 37 }], changed: 1, gone: 1 })
    expect((await house.ada.execute(PEOPLE_ID, 'select 1 from people', [])).rowCount).toBe(0)
  })

  test('SQL takes quoted placeholders as values and others as text', async () => {
    await using db = await open()
    const house = createTableHouse(db)
    await house.save(people)
    await house.ada.execute(
      PEOPLE_ID,
      "insert into people (name, age, active) values ('Ada', 36, true), ('Bob', 12, false), ('x''y', 1, true)",
      [],
    )
    const sqlOf = async (sql: string, args: ValueObject) => {
      const inputParameters = params({
        name: ref('entry.name'),
        age: ref('entry.age', 'integer'),
        flag: ref('entry.flag', 'boolean'),
        ages: ref('entry.ages', ['integer']),
      })
      const { rows } = await run(house.ada, single(12, { sql, inputParameters }), args)
      return Array.isArray(rows) ? rows.map((row) => (row as ValueObject).name) : rows
    }

    expect(await sqlOf("select name from people where name = '{{name}}'", { name: "x'y" })).toEqual(["x'y"])
    expect(await sqlOf("select name from people where name = '{{name}}'", { name: "' or 1=1 or '" })).toEqual([])
    expect(await sqlOf('select name from people where name = `{{name}}` and age = `{{age}}`', { name: 'Bob', age: 12 })).toEqual(['Bob'])
    expect(await sqlOf('select name from people where age > {{age}} order by {{name}}', { age: 5, name: 'name desc' })).toEqual([
      'Bob',
      'Ada',
    ])
    expect(await sqlOf("select name from people where name like '%{{name}}%'", { name: 'd' })).toEqual(['Ada'])
    expect(await sqlOf('select name from people where active = {{flag}} and age > 1', { flag: true })).toEqual(['Ada'])
    expect(await sqlOf("select name from people where active = '{{flag}}'", { flag: false })).toEqual(['Bob'])
    expect(await sqlOf("select name from people where age in ({{ages[0]}}, '{{ages[1]}}')", { ages: [12, 36] })).toEqual(['Ada', 'Bob'])
    await expect(sqlOf("select name from people where name = '{{name}} '", { name: "'; delete from people; --" })).rejects.toThrow(
      /only one statement|is expected/,
    )
    await expect(sqlOf('select name from {{name}}', { name: 'api_key' })).rejects.toThrow('no database called "api_key"')
    await expect(sqlOf('select name from people where age = {{years}}', {})).rejects.toThrow('{{years}} is no input of the node')
  })

  test('rows have the properties that the node declares, or are all texts', async () => {
    await using db = await open()
    const house = createTableHouse(db)
    await house.save(people)
    await house.ada.execute(
      PEOPLE_ID,
      "insert into people (name, age, score, active) values ('12', 36, 1.5, true), (null, null, null, null)",
      [],
    )
    const declared: TypeFields = {
      outputList: [{ name: 'integer', age: 'string', score: 'float', active: 'boolean', nothing: 'string' }],
      rowNum: 'integer',
    }
    const canvas = (outputs: TypeFields) =>
      drawCanvas()
        .entry({})
        .node('101', 12, { inputs: { ...database(), sql: 'select name, age, score, active from people order by id' }, outputs })
        .exit({ all: ref('101', 'object') })
        .edges('entry > 101 > exit')
        .build()

    expect(await run(house.ada, canvas(declared))).toEqual({
      all: {
        outputList: [
          { name: 12, age: '36', score: 1.5, active: true, nothing: null },
          { name: null, age: null, score: null, active: null, nothing: null },
        ],
        rowNum: 2,
      },
    })
    expect(await run(house.ada, canvas(UNTYPED))).toEqual({
      all: {
        outputList: [
          { name: '12', age: '36', score: '1.5', active: 'true' },
          { name: '', age: '', score: '', active: '' },
        ],
        rowNum: 2,
      },
    })
  })

  test('a list is a condition, and a query without fields and conditions reads all', async () => {
    await using db = await open()
    const house = createTableHouse(db)
    await house.save(people)
    await house.ada.execute(PEOPLE_ID, "insert into people (name, age) values ('Ada', 36), ('Bob', 12), ('Ada', 36)", [])
    const query = (selectParam: Record<string, unknown>) =>
      run(house.ada, single(43, { selectParam: { limit: 100, ...selectParam } }), { ages: [12, 7] })

    expect(await query(where(condition('age', 'IN', ref('entry.ages', ['integer']))))).toEqual({
      rows: [{ name: 'Bob', age: 12 }],
      count: 1,
    })
    expect(await query({ limit: 2 })).toMatchObject({ count: 2, rows: [{ name: 'Ada', age: 36 }, { name: 'Bob' }] })
    expect(await query({ limit: '100', fieldList: [{ fieldID: NAME, isDistinct: true }] })).toMatchObject({
      count: 2,
      rows: [{ name: 'Ada', age: null }, { name: 'Bob' }],
    })
  })
})

describe('settings of database nodes', () => {
  const wrong: [string, number, Record<string, unknown>, RegExp][] = [
    ['no database', 43, { databaseInfoList: [], selectParam: { limit: 1 } }, /databaseInfoID.*choose one/],
    [
      'an id that a number cannot hold',
      43,
      { databaseInfoList: [{ databaseInfoID: 7478954112676282405 }], selectParam: { limit: 1 } },
      /must be text/,
    ],
    ['no limit', 43, { selectParam: {} }, /selectParam.limit.*greater than 0/],
    ['a limit of 0', 43, { selectParam: { limit: 0 } }, /greater than 0/],
    [
      'an unknown operation',
      43,
      { selectParam: { limit: 1, ...where(condition('age', 'SOUNDS_LIKE', 1)) } },
      /operation.*must be one of EQUAL/,
    ],
    [
      'nothing to compare with',
      43,
      { selectParam: { limit: 1, ...where([...params({ left: 'age', operation: 'EQUAL' }), null]) } },
      /right.*EQUAL compares/,
    ],
    [
      'a field that is computed',
      43,
      { selectParam: { limit: 1, ...where(condition('age', 'IS_NULL').map((param) => ({ ...param, input: ref('entry.name') }))) } },
      /written into the node/,
    ],
    [
      'an unknown logic',
      43,
      { selectParam: { limit: 1, condition: { conditionList: [condition('age', 'IS_NULL')], logic: 'XOR' } } },
      /AND or OR/,
    ],
    ['an update of every row', 42, { updateParam: { fieldInfo: fieldInfo({ [AGE]: 1 }) } }, /updateParam.condition.*every row/],
    ['a delete of every row', 44, { deleteParam: { condition: { conditionList: [], logic: 'AND' } } }, /deleteParam.condition.*every row/],
    ['nothing to insert', 46, { insertParam: { fieldInfo: [] } }, /fieldInfo.*at least one field/],
    ['no settings', 46, {}, /insertParam/],
    ['no SQL', 12, { sql: '  ' }, /inputs.sql/],
  ]
  test('that cannot be read are problems of the canvas', () => {
    for (const [what, type, inputs, message] of wrong) expect(problemOf(type, inputs), what).toMatch(message)
  })

  function problemOf(type: number, inputs: Record<string, unknown>): string {
    try {
      engineHouse().startRun(single(type, inputs))
      return 'none'
    } catch (cause) {
      if (!(cause instanceof CanvasProblem)) throw cause
      return `${cause.path} ${cause.message}`
    }
  }

  test('the values are inputs of the node, and null stands where a condition has no right side', async () => {
    const seen: unknown[] = []
    const tables = { update: async (_id: string, change: unknown) => (seen.push(change), { rows: [], rowCount: 0, isCut: false }) }
    const canvas = single(42, {
      updateParam: {
        ...where([...params({ left: 'name', operation: 'IS_NULL' }), null], condition('age', 'GREATER_THAN', literal('5', 'integer'))),
        fieldInfo: fieldInfo({ [AGE]: ref('entry.age', 'integer') }),
      },
    })
    const started = engineHouse({ services: { tables: tables as unknown as UserTables } }).startRun(canvas, {})
    await started.live()

    expect(started.records.get('101')?.inputs).toEqual({ __condition_right_1: 5, [`__setting_field_${AGE}`]: 0 })
    expect(seen).toEqual([
      {
        where: {
          logic: 'and',
          conditions: [
            { field: 'name', operation: 'IS_NULL', value: null },
            { field: 'age', operation: 'GREATER_THAN', value: 5 },
          ],
        },
        values: [{ field: AGE, value: 0 }],
      },
    ])
  })
})
