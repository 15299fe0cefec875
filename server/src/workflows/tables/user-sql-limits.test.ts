import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { linesOf, openSqlHouse, refusal } from '../../../test/support/user-table-house.ts'

const around = (before: string, inner: string, after: string) => before.repeat(5_000) + inner + after.repeat(5_000)
const many = (count: number, item: (at: number) => string) => Array.from({ length: count }, (_none, at) => item(at)).join(', ')

const tooLarge = [
  `select '${'x'.repeat(100_000)}'`,
  ...[
    `select ${around('(', '1', ')')}`,
    `select ${around('not ', '1', '')}`,
    `select ${around('- ', '1', '')}`,
    `select ${around('abs(', '1', ')')}`,
  ],
  ...[`select ${around('(select ', '1', ')')}`, `select ${around('case when 1 then ', '1', ' end')}`, `select ${'1 + '.repeat(5_000)} 1`],
  ...[`select 1 from people where ${"name = 'x' or ".repeat(5_000)} 1 = 1`, `${'select 1 union '.repeat(5_000)} select 1`],
  ...[`select 1 from ${many(50, (at) => `people p${at}`)}`, `select 1 from ${many(50, (at) => `p${at}`)}`],
  `insert into people (name, age) values ${many(6_000, () => '(1, 2)')}`,
]

/** Each would look at 10^12 rows and more. */
const endless = `
select count(*) from people a, people b, people c, people d where a.age + b.age + c.age + d.age = -1
select count(*) from people a left join people b on a.age < -1 left join people c on c.age >= 0 left join people d on d.age >= 0 left join people e on e.age >= 0 where a.age + c.age + d.age + e.age = -1
with t as (select age from people limit 1000) select count(*) from t a, t b, t c, t d where a.age + b.age + c.age + d.age = -1
select count(*) from (select distinct age from people) a, (select age from people group by age) b, (select 1 as age) x, people c, people d where a.age + b.age + c.age + d.age = -1
update people set age = 1 where exists (select 1 from people a, people b, people c, people d where a.age + b.age + c.age + d.age = -1)
delete from people where age = (select count(*) from people a, people b, people c, people d where a.age + b.age + c.age + d.age = -1) - 1
select name from people order by (select count(*) from people a, people b, people c where a.age + b.age + c.age = people.age - 9)
`

describe.each(testDatabases())('SQL of workflows on $name', ({ open, name }) => {
  const isSqlite = name === 'SQLite'

  test('that is very large or very deep is refused at once', async () => {
    await using house = await openSqlHouse(await open(), { isEmpty: true })

    for (const sql of tooLarge) {
      const startedAt = performance.now()
      await expect(house.run(sql), sql.slice(0, 80)).rejects.toEqual(refusal(/./))
      expect(performance.now() - startedAt, sql.slice(0, 80)).toBeLessThan(2_000)
    }
    await expect(house.run('select ?', ['x'.repeat(1_000_001)])).rejects.toEqual(refusal(/more than 1000000 characters/))
    await expect(
      house.run(`select 1 from people where name in (${many(400, () => '?')}) and 1 = 1`, Array.from({ length: 400 }, String)),
    ).resolves.toBeDefined()
  })

  test('that takes too long is ended, and the next statement works', { timeout: 90_000 }, async () => {
    await using house = await openSqlHouse(await open(), { isEmpty: true })
    await house.run(`insert into people (name, age) values ${many(1_000, (age) => `('${age}', ${age})`)}`)

    // one is enough for a database that watches the time by itself
    for (const sql of linesOf(endless).slice(0, isSqlite ? undefined : 1)) {
      const startedAt = performance.now()
      await expect(house.run(sql), sql).rejects.toEqual(refusal(/took too long and was stopped/))
      expect(performance.now() - startedAt, sql).toBeLessThan(12_000)
    }
    expect(await house.valuesOf('select count(*), sum(age) from people')).toEqual([[1_000, 499_500]])
  })

  test('cannot make texts grow without bounds', async () => {
    await using house = await openSqlHouse(await open(), { isEmpty: true })
    await house.run('insert into people (name) values (?)', ['x'.repeat(100_000)])
    const tenfold = (of: string) => `concat(${many(10, () => of)})`

    expect(await house.valuesOf(`select char_length(${tenfold('name')}) from people`)).toEqual([[1_000_000]])
    if (!isSqlite) return
    const large = refusal(/value became too large/)
    await expect(house.run(`select char_length(${tenfold(tenfold('name'))}) from people`)).rejects.toEqual(large)
    await expect(house.run("select char_length(replace(name, 'x', 'yyyyyyyyyyyyyyyyyyyy')) from people")).rejects.toEqual(large)
    await expect(house.run('select 1 from people where name like ?', ['x'.repeat(1_001)])).rejects.toEqual(large)
    await expect(house.run('select instr(name, concat(?, 1)) from people', ['x'.repeat(1_001)])).rejects.toEqual(large)
  })
})
