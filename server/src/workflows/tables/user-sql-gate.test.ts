import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { BOB, linesOf, openSqlHouse, people, refusal } from '../../../test/support/user-table-house.ts'
import type { SqlHouse } from '../../../test/support/user-table-house.ts'

/** Tables that are there, and that no workflow may touch. */
const strangers =
  `api_key user user_table kysely_migration bot run sqlite_master sqlite_schema pragma_table_info dbstat DUAL secrets SECRETS ut_5_1 ut_99_1
\`ut_5_1\` mysql.user main.api_key information_schema.tables \`mysql\`.\`user\` people.people`.split(/\s+/)

const places = `
select * from X
select * from people, X
select name from people join X on 1 = 1
select name from people union select name from X
select (select max(name) from X)
select name from people where name in (select name from X)
select name from people where exists (select 1 from X)
with people as (select * from X) select * from people
select * from (select * from X) people
select name from people order by (select max(name) from X)
select count(*) from people group by (select 1 from X)
select case when (select 1 from X) then 1 end
insert into X (name) values ('x')
insert into people (name) values ((select max(name) from X))
update X set name = 'x'
update people set name = (select max(name) from X)
update people set name = 'x' where name = (select max(name) from X)
delete from X
delete from people where name = (select max(name) from X)
`

/** Everything that a database can do beside reading and writing rows. */
const refused = `
select 1; drop table people
;
select 1 # x
select /* x */ 1
select /*! sleep(1) */ 1
select 1 /*
drop table people
create table x (a int)
create temporary table x as select 1
alter table people add b int
truncate people
replace into people (name) values (1)
attach database "x" as y
detach x
pragma user_version
vacuum
vacuum into "x"
analyze
reindex
explain select 1
begin
commit
savepoint a
set @a = 1
set global x = 1
set statement max_statement_time = 0 for select 1
show tables
describe people
use mysql
call x()
do sleep(1)
handler people open
load data infile "x" into table people
lock tables people write
grant all on *.* to x
kill 1
shutdown
flush tables
prepare a from "select 1"
execute immediate "select 1"
table people
values row(1)
select * from people into outfile '/tmp/x'
select name into dumpfile '/tmp/x' from people
select name into @a from people
select * from people for update
select * from people lock in share mode
select @@version
select @a
select @a := 1
select sleep(10)
select benchmark(1000000, md5(1))
select load_file('/etc/passwd')
select user()
select version()
select database()
select current_user
select current_user()
select connection_id()
select get_lock("a", 10)
select last_insert_id()
select uuid()
select extractvalue(1, 2)
select sys_exec("x")
select load_extension('x')
select readfile('/etc/passwd')
select writefile('x', 'y')
select sqlite_version()
select zeroblob(1000000000)
select randomblob(1000000000)
select printf('%.1000000000c', 'x')
select repeat("x", 1000000000)
select space(1000000000)
select lpad("x", 1000000000, "y")
select hex(name) from people
select json_extract(name, "$") from people
select ut_within(1, 2)
select ut_concat(1)
select last_insert_rowid()
select changes()
select rowid from people
select _rowid_ from people
select oid from people
select f_4 from people
select bstudio_connector_id from people
with recursive a as (select 1 union all select 1 from a) select * from a
with a as (select * from a) select * from a
with a as (select * from b), b as (select 1) select * from a
select name from people where name regexp "(a+)+$"
select name rlike "a" from people
select name collate nocase from people
select 0x41
select x'41'
select b'1'
select _utf8'a'
select n'a'
select a.b.c from people
select people.people.name from people
select 1 || 2
select :a
select $1
insert into people (name) values (1) on duplicate key update name = 2
insert ignore into people (name) values (1)
insert into people (name) values (1) returning *
insert into people set name = 1
insert into people default values
delete from people returning *
delete people from people
delete from people using people
update people, people p set name = 1
update people join people p set name = 1
update people set name = 1 limit 1 offset 1
update people set name = 1 from orders
select sum(age) over () from people
select name from people natural join people p
select name from people right join people p on 1 = 1
select name from people procedure analyse()
select name from people partition (p0)
select name from people limit (select 1)
select name from people limit -1
select name from people limit 1.5
select name from people limit '1'
select \`name
select \`\`
select "
select '\\
select interval 1 day
select name from people where (name, age) in (select name, age from people)
select exists(select 1
select case end
select cast(1 as json)
select convert(1, char)
select 1e999
select 1abc
select 1.2.3
select ?
`

/** What a caller may give for a placeholder that is put in as text: name = '…' */
const injections = `
x' union select api_key, name from api_key --
x' union select api_key from api_key where '1'='1
x'; delete from api_key; select '
x' and (select 1 from user) = 1 or '1'='1
x' union select name from secrets where '1'='1
x' into outfile '/tmp/x
x' or sleep(10) or '1'='1
x' procedure analyse() --
`

const nasty = ["' or '1'='1", '"; drop table people; --', '`', '\\', "\\'", '?', '{{name}}', 'ut_1_1', '王 🚀 é', '\0\n\r\t\u001a', "';#"]

describe.each(testDatabases())('SQL of workflows on $name', ({ open }) => {
  const SECRET = 'hash-that-nobody-may-see'

  async function openGuarded(): Promise<SqlHouse> {
    const db = await open()
    const key = { id: '77', api_key: SECRET, name: SECRET, user_id: '1', expired_at: 0, created_at: 0, updated_at: 0 }
    await db.insertInto('api_key').values(key).execute()
    const house = await openSqlHouse(db)
    await house.house.save({ ...people, id: '5', name: 'secrets' }, BOB)
    await house.house.bob.execute('5', "insert into secrets (name) values ('of bob')", [])
    return house
  }

  async function expectUntouched({ db, house, valuesOf }: SqlHouse) {
    expect(await valuesOf('select count(*), count(age) from people')).toEqual([[3, 2]])
    expect((await house.bob.execute('5', 'select name from secrets', [])).rows).toEqual([{ name: 'of bob' }])
    expect(await db.selectFrom('api_key').select(['name', 'api_key']).execute()).toEqual([{ name: SECRET, api_key: SECRET }])
  }

  test('reaches no tables of the product and of other users', async () => {
    await using house = await openGuarded()

    for (const stranger of strangers)
      for (const place of linesOf(places)) {
        const sql = place.replace('X', stranger)
        await expect(house.run(sql), sql).rejects.toEqual(refusal(/./))
      }
    await expectUntouched(house)
  })

  test('does nothing but read and write rows', async () => {
    await using house = await openGuarded()

    for (const sql of ['', '   ', ...linesOf(refused)]) {
      const startedAt = performance.now()
      await expect(house.run(sql), sql).rejects.toEqual(refusal(/./))
      expect(performance.now() - startedAt, sql).toBeLessThan(2_000)
    }
    await expectUntouched(house)
  })

  test('takes bound values for values, whatever they say', async () => {
    await using house = await openSqlHouse(await open(), { isEmpty: true })

    for (const value of nasty) {
      await house.run('insert into people (name) values (?)', [value])
      expect(await house.valuesOf('select name from people where name = ?', [value]), JSON.stringify(value)).toEqual([[value]])
    }
    expect(await house.valuesOf('select count(*) from people')).toEqual([[nasty.length]])
  })

  test('reaches the own tables only, whatever is put into the text', async () => {
    await using house = await openGuarded()

    for (const value of linesOf(injections))
      await expect(house.run(`select name from people where name = '${value}'`), value).rejects.toEqual(refusal(/./))
    // what can be said within the own tables can be said
    expect(await house.valuesOf("select name from people where name = 'x' or '1'='1'")).toEqual([['Ada'], ['Bob'], ['Zoë']])
    expect(await house.valuesOf(String.raw`select name from people where name = 'x\' or 1=1 '`)).toEqual([])
    await expectUntouched(house)
  })

  test('refuses a text that hides or brings placeholders', async () => {
    await using house = await openSqlHouse(await open())

    await expect(house.run("select 1 from people where name = 'a' and age = ' and name = ?'", ['Ada'])).rejects.toEqual(
      refusal(/fewer placeholders/),
    )
    await expect(house.run('select 1 from people where age = ? or name = ?', ['Ada'])).rejects.toEqual(refusal(/more placeholders/))
  })
})
