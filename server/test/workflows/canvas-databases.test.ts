import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { saveUserTable } from '../../src/workflows/tables/saved-user-tables.ts'
import { drawCanvas, input, literal, params, ref } from '../support/canvas-builder.ts'
import type { Input, NodeSketch, TypeFields } from '../support/canvas-builder.ts'
import { ADA, openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { testDatabases } from '../support/test-databases.ts'
import { people, PEOPLE_ID } from '../support/user-table-house.ts'

const NAME = '1783122026497'
const AGE = '1785960530945'
const ROWS: TypeFields = { outputList: [{ name: 'string', age: 'integer' }], rowNum: 'integer' }

const table = { databaseInfoList: [{ databaseInfoID: PEOPLE_ID }] }
const condition = (left: string, operation: string, right?: Input) => [
  ...params({ left, operation }),
  right === undefined ? null : { name: 'right', input: input(right) },
]
const where = (logic: string, ...conditionList: unknown[]) => ({ condition: { conditionList, logic } })
const fieldInfo = (values: Record<string, Input>) => ({
  fieldInfo: Object.entries(values).map(([id, value]) => params({ fieldID: id, fieldValue: value })),
})
const inserts = (values: Record<string, Input>): NodeSketch => ({ inputs: { ...table, insertParam: fieldInfo(values) }, outputs: ROWS })
const selects = (more: object): NodeSketch => ({
  inputs: {
    ...table,
    selectParam: {
      fieldList: [
        { fieldID: Number(NAME), isDistinct: false },
        { fieldID: AGE, isDistinct: false },
      ],
      orderByList: [{ fieldID: AGE, isAsc: true }],
      limit: '10',
      ...more,
    },
  },
  outputs: ROWS,
})

describe.each(testDatabases())('databases in a workflow, on $name', ({ open }) => {
  let db: Awaited<ReturnType<typeof open>>
  let house: CanvasHouse
  beforeAll(async () => {
    db = await open()
    house = await openCanvasHouse({ db })
    await saveUserTable(house.deps, ADA, people)
  })
  afterAll(async () => {
    await house[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })

  test('rows are put in by a loop, read with conditions from other nodes, changed and taken out', async () => {
    const canvas = drawCanvas()
      .entry({ people: [{ name: 'string', age: 'integer' }], from: 'integer' })
      .loop(
        '200',
        { params: { p: ref('entry.people', [{ name: 'string', age: 'integer' }]) }, outputs: { counts: ref('201.rowNum', ['integer']) } },
        (body) =>
          body.node('201', 46, inserts({ [NAME]: ref('200.p.name'), [AGE]: ref('200.p.age', 'integer') })).edges('start > 201 > end'),
      )
      .node(
        '101',
        43,
        selects(where('AND', condition('age', 'GREATER_EQUAL', ref('entry.from', 'integer')), condition('name', 'NOT_LIKE', '%b%'))),
      )
      .node('102', 42, {
        inputs: {
          ...table,
          updateParam: {
            ...where('OR', condition('name', 'EQUAL', ref('101.outputList.name')), condition('name', 'IN', literal(['Cid'], ['string']))),
            ...fieldInfo({ [AGE]: literal('99', 'integer') }),
          },
        },
        outputs: ROWS,
      })
      .node('103', 43, selects({}))
      .node('104', 44, { inputs: { ...table, deleteParam: where('AND', condition('name', 'IS_NOT_NULL')) }, outputs: ROWS })
      .node('105', 43, selects({ condition: null, orderByList: null }))
      .exit({
        counts: ref('200.counts', ['integer']),
        found: ref('101.outputList', [{ name: 'string', age: 'integer' }]),
        changed: ref('102.rowNum', 'integer'),
        after: ref('103.outputList', [{ name: 'string', age: 'integer' }]),
        gone: ref('104.rowNum', 'integer'),
        left: ref('105.outputList', [{ name: 'string', age: 'integer' }]),
      })
      .edges('entry > 200:loop-output > 101 > 102 > 103 > 104 > 105 > exit')
      .build()
    const given = [
      { name: 'Ada', age: 36 },
      { name: 'Bob', age: 50 },
      { name: "C'id", age: 12 },
    ]
    expect(await house.results(canvas, { people: given, from: 20 })).toEqual({
      counts: [1, 1, 1],
      found: [{ name: 'Ada', age: 36 }],
      changed: 1,
      after: [
        { name: "C'id", age: 12 },
        { name: 'Bob', age: 50 },
        { name: 'Ada', age: 99 },
      ],
      gone: 3,
      left: [],
    })
  })

  test('SQL takes quoted placeholders as values, whatever they say, and gives texts where no fields are declared', async () => {
    const sql = (text: string, outputs: TypeFields = { outputList: ['object'], rowNum: 'integer' }) =>
      drawCanvas()
        .entry({ name: 'string', ok: 'boolean', column: 'string' })
        .node('101', 12, {
          params: { name: ref('entry.name'), ok: ref('entry.ok', 'boolean'), column: ref('entry.column') },
          inputs: { ...table, sql: text },
          outputs,
        })
        .exit({ rows: ref('101.outputList', ['object']), count: ref('101.rowNum', 'integer') })
        .edges('entry > 101 > exit')
        .build()
    const args = { name: "x'; drop table people; --", ok: true, column: 'active' }
    expect(await house.results(sql("insert into people (name, age, {{column}}) values ('{{name}}', 3, {{ok}})"), args)).toMatchObject({
      count: 1,
    })
    expect(await house.results(sql('select name, age, active from people where name = `{{name}}`'), args)).toEqual({
      rows: [{ name: args.name, age: '3', active: 'true' }],
      count: 1,
    })
    const typed = sql('select name, age, active from people', {
      outputList: [{ age: 'integer', active: 'boolean', gone: 'string' }],
      rowNum: 'integer',
    })
    expect(await house.results(typed, args)).toEqual({ rows: [{ age: 3, active: true, gone: null }], count: 1 })
    expect(await house.play(sql('select * from elsewhere'), args)).toMatchObject({ status: 'failed' })
  })

  test('an error may be handled, and is stored once', async () => {
    const node = inserts({ [NAME]: 'x', 999: 'y' })
    const canvas = (onError?: NodeSketch['onError']) =>
      drawCanvas()
        .entry({})
        .node('101', 46, { ...node, onError })
        .exit({ n: ref('101.rowNum', 'integer'), ok: ref('101.isSuccess', 'boolean') })
        .edges('entry > 101 > exit')
        .build()
    expect(await house.play(canvas())).toMatchObject({ status: 'failed', error: expect.stringContaining('999') })
    expect(await house.results(canvas({ processType: 2, dataOnErr: '{"rowNum":-1}' }))).toEqual({ n: -1, ok: false } satisfies ValueObject)
  })
})
