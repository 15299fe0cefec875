import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { field, linesOf, openSqlHouse, refusal } from '../../../test/support/user-table-house.ts'

/** What both databases answer, as JSON. */
const answers = `
select count(*), count(age), sum(age), avg(age), min(age), max(name) from people => [[3, 2, 48, 24, 12, "Zoë"]]
select sum(score), avg(score), sum(score * 2) from people => [[3.5, 1.75, 7]]
select age / 8, age % 7, age * 2, age - 1, -age from people where age > 0 order by age => [[1.5, 5, 24, 11, -12], [4.5, 1, 72, 35, -36]]
select age / 0 from people limit 1 => [[null]]
select active, not active, active = true from people order by 1, name => [[null, null, null], [false, 1, 0], [true, 0, 1]]
select name from people where active = true or name = 'Zoë' order by name => [["Ada"], ["Zoë"]]
select name from people where age = '36' => [["Ada"]]
select name from people where age in ('12', 99) => [["Bob"]]
select name from people where born >= '2000-01-01' and born < '2014-01-01T00:00:01Z' => [["Bob"]]
select name from people where born = '1815-12-10' => [["Ada"]]
select name from people where name = 36 => []
select name from people where age between '10' and 20 => [["Bob"]]
select name from people where name like 'a%' => [["Ada"]]
select name from people where name not like '%A%' and name is not null => [["Bob"], ["Zoë"]]
select 1 from people where '50%' like '50\\%' limit 1 => [[1]]
select 1 from people where '50x' like '50\\%' limit 1 => []
select name from people where name = 'ada' or name = 'Ada ' => []
select concat(name, ': ', age, '!') from people where name <> 'Zoë' order by name desc => [["Bob: 12!"], ["Ada: 36!"]]
select concat(name, age) from people where name = 'Zoë' => [[null]]
select concat(score, "|", active) from people where name = "Ada" => [["1.5|1"]]
select upper(name), lower('ABC'), trim('  a '), substr(name, 2), left(name, 1), instr(name, 'da') from people where age = 36 => [["ADA", "abc", "a", "da", "A", 2]]
select char_length(name), length(name), replace(name, 'o', '0$&') from people where name = 'Zoë' => [[3, 4, "Z0$&ë"]]
select coalesce(age, -1), ifnull(name, 0), nullif(age, 12), if(age > 20, 1, 2) from people order by name => [[36, "Ada", 36, 1], [12, "Bob", null, 2], [-1, "Zoë", null, 2]]
select case when age > 20 then 'old' when age > 10 then 'young' else '-' end as kind from people order by kind => [["-"], ["old"], ["young"]]
select case name when 'Ada' then 1.5 else null end from people order by name => [[1.5], [null], [null]]
select greatest(age, 20), least(1, 2.5), round(score), abs(-3), floor(1.7), mod(age, 5) from people where age > 0 order by age => [[20, 1, 2, 3, 1, 2], [36, 1, 2, 3, 1, 1]]
select year(born), month(born), day(born), date(born), hour(born) from people where age = 12 => [[2014, 1, 1, "2014-01-01", 0]]
select cast('12' as signed) + 1, cast(age as char), cast('1.5' as double) from people where age = 12 => [[13, "12", 1.5]]
select now(), curdate(), current_timestamp = now() => [["2026-01-01 00:00:00", "2026-01-01", 1]]
select rand() >= 0, rand() < 1 => [[1, 1]]
select distinct person from orders order by person => [["Ada"], ["Bob"]]
select person, sum(count) as total from orders group by person having total > 1 order by total desc => [["Ada", 5]]
select person, count(distinct item) n from orders group by 1 order by 2 desc, 1 => [["Ada", 2], ["Bob", 1]]
select p.name, o.item from people p join orders o on o.person = p.name and o.count > 1 order by o.item => [["Ada", "book"], ["Ada", "pen"]]
select p.name, o.item from people as p left join orders as o on o.person = p.name order by p.name, o.item => [["Ada", "book"], ["Ada", "pen"], ["Bob", "book"], ["Zoë", null]]
select count(*) from people, orders => [[9]]
select count(*) from people a cross join people b where a.age < b.age => [[1]]
select name from people where name in (select person from orders where item = 'pen') => [["Ada"]]
select name from people p where not exists (select 1 from orders o where o.person = p.name) => [["Zoë"]]
select name, (select sum(count) from orders where person = name) as n from people order by name => [["Ada", 5], ["Bob", 1], ["Zoë", null]]
select item from orders where count = 1 union all select name from people where age = 36 order by item => [["Ada"], ["book"]]
select name from people where age = 36 union select 'Ada' union select 'x' order by 1 => [["Ada"], ["x"]]
with big as (select person, count n from orders where count > 1) select person, sum(n) from big group by person => [["Ada", 5]]
select t.a from (select age + 1 as a from people where age > 0) t order by t.a desc limit 1 => [[37]]
select name from people order by age is null, age desc limit 1 offset 1 => [["Bob"]]
select name from people order by name limit 1, 2 => [["Bob"], ["Zoë"]]
select name from people limit 0 => []
SELECT Name FROM PEOPLE WHERE AGE IS NOT TRUE AND active IS FALSE OR Age = -1 => []
`

/** What a builder is told. */
const mistakes = `
select nme from people => there is no field "nme".*people .name, age, score, active, born, id, uuid, bstudio_create_time
select o.name from people p => there is no field "o.name"
select name from persons => no database called "persons": define it in the manifest's databases:. The node's own is called people
select name from people join people on 1 = 1 => two tables are called people
select name from people a join people b on a.age = b.age => field name is in several tables
select name from people where name = Ada => there is no field "Ada".*Texts stand in single quotes
selct name from people => SELECT, INSERT INTO, UPDATE or DELETE FROM is expected at "selct", character 1
select name from => name of a database is expected at its end
select 'Ada from people => a text in quotes does not end, at character 8
select {{nmae}} from people => {{nmae}} is no input of the node
select name from people where age = ? => more placeholders than parameters
insert into people (name, age) values (1) => row 1 has 1 values for 2 fields
insert into people (name, nme) values (1, 2) => database people .* has no field "nme"
insert into people (name, name) values (1, 2) => field name is there twice
insert into orders (item) values ('x') => field count is required
insert into orders (item, count) values ('x', null) => field count is required
update orders set count = null => field count is required
insert into people (age) values ('old') => field age takes a whole number of at most 64 bits, not "old"
insert into people (id, name) values (1, 2) => id is kept by the server
update people set uuid = 'x' => uuid is kept by the server
insert into people (name) select name from people => INSERT … SELECT is not taken
select max(name, age) from people => MAX takes one argument
select group_concat(name) from people => GROUP_CONCAT.* is no function of workflow SQL. There are COUNT
select (select name, age from people) => gives one column
select 1 union select 1, 2 => same number of columns
select name from people order by 2 => the result has no column 2
select 1 -- all of them => comments are not taken
select 1; select 2 => only one statement
select name || age from people => write OR, or CONCAT
`

const casesOf = (text: string) => linesOf(text).map((line) => line.split(' => '))

describe.each(testDatabases())('SQL of workflows on $name', ({ open }) => {
  test('rows are inserted, read, changed and deleted', async () => {
    await using house = await openSqlHouse(await open(), { isEmpty: true })
    const changed = (rowCount: number) => ({ rows: [], rowCount, isCut: false })

    const ids = [{ id: expect.any(Number) }, { id: expect.any(Number) }]
    expect(await house.run("INSERT INTO people (name, age) VALUES ('Ada', 36), ('Bob', 12);")).toEqual({ ...changed(2), rows: ids })
    expect(await house.run('UPDATE people SET age = age + 1, active = age > 20 WHERE age < 100')).toEqual(changed(2))
    expect(await house.run("UPDATE people p SET p.score = 2 WHERE p.name = 'Ada' ORDER BY age LIMIT 1")).toEqual(changed(1))
    expect(await house.run("DELETE FROM people WHERE name = 'Bob'")).toEqual(changed(1))
    expect(await house.run("INSERT INTO people VALUES ('Eve', 1 + 1, 0.5, false, now())")).toMatchObject({ rowCount: 1 })
    expect(await house.valuesOf('SELECT name, age, score, uuid, born FROM people ORDER BY name')).toEqual([
      ['Ada', 37, 2, 'anna', null],
      ['Eve', 2, 0.5, 'anna', '2026-01-01 00:00:00'],
    ])
  })

  test('a star is all fields, and those that each table has by itself', async () => {
    await using house = await openSqlHouse(await open())
    const row = { name: 'Ada', age: 36, score: 1.5, active: true, born: '1815-12-10 00:00:00' }
    const system = { id: expect.any(Number), uuid: 'anna', bstudio_create_time: '2026-01-01 00:00:00' }

    expect((await house.run('select * from people where age = 36;')).rows).toEqual([{ ...row, ...system }])
    expect((await house.run('select p.*, 1 as one from people p where age = 36')).rows).toEqual([{ ...row, ...system, one: 1 }])
  })

  test('the answers are the same on every database', async () => {
    await using house = await openSqlHouse(await open())

    for (const [sql = '', rows = ''] of casesOf(answers)) expect(await house.valuesOf(sql), sql).toEqual(JSON.parse(rows))
  })

  test('columns of a result are called as they are written', async () => {
    await using house = await openSqlHouse(await open())
    const sql = "select NAME, count(*), age + 1, max(age) AS Oldest, age as 'in years', 1 `one 1` from people group by name, age limit 1"

    expect(Object.keys((await house.run(sql)).rows[0] ?? {})).toEqual(['NAME', 'count(*)', 'age + 1', 'Oldest', 'in years', 'one 1'])
    expect((await house.run('select 1 as __proto__, 2 as constructor')).rows).toEqual([JSON.parse('{"__proto__":1,"constructor":2}')])
  })

  test('texts in quotes are read as MySQL reads them', async () => {
    await using house = await openSqlHouse(await open(), { isEmpty: true })
    const cases: [string, string][] = [
      ["'it''s'", "it's"],
      [String.raw`'it\'s'`, "it's"],
      ['"say ""hi"""', 'say "hi"'],
      [String.raw`'a\nb\tc\\d\qe'`, 'a\nb\tc\\dqe'],
      ["'-- # /* ; */ @@x ? {{y}} `'", '-- # /* ; */ @@x ? {{y}} `'],
    ]
    for (const [sql, text] of cases) expect(await house.valuesOf(`select ${sql}`), sql).toEqual([[text]])
  })

  test('bound texts become what the fields beside them are', async () => {
    await using house = await openSqlHouse(await open(), { isEmpty: true })
    const insert = 'insert into people (name, age, score, active, born) values (?, ?, ?, ?, ?)'
    await house.run(insert, ['Ada', '7478954112676282405', '1.5', '1', '2026-01-31T10:00:00+01:00'])
    await house.run(insert, ['x', '', '', '', ''])

    expect(await house.valuesOf('select name, age, score, active, born from people order by name')).toEqual([
      ['Ada', 7_478_954_112_676_282_405n, 1.5, true, '2026-01-31 09:00:00'],
      ['x', null, null, null, null],
    ])
    const where = 'select name from people where age = ? and score > ? and active = ?'
    expect(await house.valuesOf(where, ['7478954112676282405', '1', 'true'])).toEqual([['Ada']])
    expect(await house.valuesOf(where, ['7478954112676282404', '1', 'true'])).toEqual([])
    expect(await house.valuesOf('select name from people order by name limit ? offset ?', ['1', '1'])).toEqual([['x']])
    await expect(house.run('insert into people (age) values (?)', ['12; drop table people'])).rejects.toEqual(
      refusal(/field age takes a whole/),
    )
    await expect(house.run('select name from people limit ?', ['1; drop table people'])).rejects.toEqual(
      refusal(/LIMIT and OFFSET take whole/),
    )
  })

  test('what is wrong is said in the words of the builder', async () => {
    await using house = await openSqlHouse(await open())

    for (const [sql = '', message = ''] of casesOf(mistakes))
      await expect(house.run(sql), sql).rejects.toEqual(refusal(new RegExp(message.replaceAll('{{', '\\{\\{'))))
  })

  test('what the database refuses is told without its words', async () => {
    await using house = await openSqlHouse(await open())
    for (const sql of ['update people set age = concat(name, name)', 'select name from people where sum(age) > 1']) {
      const error: unknown = await house.run(sql).catch((cause: unknown) => cause)
      expect(error, sql).toEqual(refusal(/does not fit the type of its field|refused the statement/))
      expect(String(error), sql).not.toMatch(/ut_|f_\d|SQLITE|ER_|t\d\./)
    }
    expect(await house.valuesOf('select age from people where age > 0 order by age')).toEqual([[12], [36]])
  })

  test('tables and fields have names in all scripts', async () => {
    await using house = await openSqlHouse(await open(), { isEmpty: true })
    await house.house.save({ id: '6', name: 'Ärger_表', description: '', fields: [field('Größe', 'integer'), field('名字', 'text')] })
    await house.run("insert into Ärger_表 (größe, 名字) values (1, '王')")

    expect(await house.valuesOf('select `Ärger_表`.größe from Ärger_表')).toEqual([[1]])
    expect((await house.run('select * from Ärger_表 where 名字 = "王"')).rows).toMatchObject([{ Größe: 1, 名字: '王' }])
  })

  test('of several tables of one name the node’s own is meant, and others have to be told apart', async () => {
    await using house = await openSqlHouse(await open())
    const { ada, save } = house.house
    await save({ ...notes, id: '6', name: 'people' })
    await save({ ...notes, id: '7' })
    await save({ ...notes, id: '8', name: 'Notes' })

    expect(await house.valuesOf('select count(*) from people')).toEqual([[3]])
    expect((await ada.execute('6', 'select count(*) as n from people', [])).rows).toEqual([{ n: 0 }])
    expect((await ada.execute('7', 'select count(*) as n from notes', [])).rows).toEqual([{ n: 0 }])
    await expect(house.run('select * from notes')).rejects.toEqual(refusal(/several databases called "Notes"/))
  })
})

const notes = { name: 'notes', description: '', fields: [field('item', 'text')] }
