import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../../test/support/seeded-random.ts'
import { NodeError } from '../../engine/node-error.ts'
import { createUserTable } from '../../../../test/support/user-table-house.ts'
import { boundPiece, ownWords, sqlPiece } from './sql-piece.ts'
import { parseSql } from './parse-sql.ts'
import { writeStatement } from './write-statement.ts'
import type { WrittenStatement } from './write-statement.ts'

const tables = [createUserTable('7', 'people', ['name', 'age']), createUserTable('8', 'orders', ['person', 'count'])]

/** Everything that may ever stand in the SQL that a database gets: words of ours and names of ours. */
const words =
  `select distinct from as where group by order asc desc limit offset having union all with join left cross on and or not in between like is null
true false case when then else end cast exists insert into values update set delete integer signed char text count sum avg min max abs round floor ceil
random rand lower upper trim ltrim rtrim substr instr length char_length blob concat replace coalesce nullif greatest least escape typeof ut_within
ut_concat ut_replace ut_short bstudio_id bstudio_connector_uid bstudio_create_time`.split(/\s+/)
const vocabulary = new RegExp(
  String.raw`^(?:(?:${words.join('|')})(?![\w])|ut_[78]_1\b|f_[12]\b|[tc]\d+\b|\d+(?:\.\d+)?(?:e[+-]?\d+)?\b|'\\'|[\s().,?*+/%=<>!-])*$`,
)

function write(sql: string, dialect: 'sqlite' | 'mysql'): WrittenStatement {
  let aliases = 0
  const placeholders = Array.from({ length: sql.split('?').length - 1 }, () => "' or 1=1 --")
  // how many of the question marks are placeholders is for the parser to say
  for (let count = placeholders.length; ; count--) {
    try {
      return writeStatement(parseSql(sql, placeholders.slice(0, count)).statement, {
        ...{ dialect, now: '2026-01-01 00:00:00', nextId: () => '5', endUser: "'", nextAlias: () => `t${aliases++}` },
        findTable(name) {
          const table = tables.find((each) => each.name === name.toLowerCase())
          if (!table) throw new NodeError(1, 'no such table')
          return table
        },
        guard: dialect === 'sqlite' ? (rowValue) => sqlPiece`ut_within(${ownWords(rowValue)}, ${boundPiece(1n)})` : undefined,
      })
    } catch (cause) {
      if (count === 0 || !String(cause).includes('fewer placeholders')) throw cause
    }
  }
}

const statements = [
  "select p.name n, count(*) from people p left join orders o on o.person = p.name where p.age >= 1.5 and name like '%x%' group by p.name having n is not null order by 2 desc limit 5 offset 2",
  "select distinct concat(name, '?', age / 2), case when age > 5 then 'a' else null end from people where age in (1, ?, 'x') or not age between -1 and 1e3",
  'with a as (select age + 1 as b from people), c as (select b from a) select c.* from c, a where exists (select 1 from orders where count = c.b) union all select 1',
  "insert into people (name, age) values ('x', 1), (?, 2 * (3 + age_of)), (replace('a', 'b', 'c'), null)",
  'update people set age = age + 1, name = cast(age as char) where (select max(count) from orders) > 1 order by name limit 3',
  'delete from people where `name` = "x" and age is not true',
  'select substr(name, 1, 2), left(name, 1), instr(name, "a"), rand(), now(), round(age, 1), greatest(age, 1), year(bstudio_create_time) from people t order by t.age',
]
const nasty = [
  ...[
    'api_key',
    '`api_key`',
    'ut_9_1',
    'f_9',
    'sqlite_master',
    'information_schema',
    'union select',
    'select',
    '(',
    ')',
    "'",
    '"',
    '`',
    '\\',
    '--',
    '/*',
    '*/',
    '#',
    ';',
    '@@x',
    '?',
  ],
  ...[
    'into outfile',
    'sleep(1)',
    'load_file',
    ' or 1=1',
    ',',
    '.',
    '*',
    '0x41',
    'as',
    'from',
    'where',
    'people',
    'orders',
    'c0',
    't0',
    '\0',
    '\u2028',
    'ſelect',
    '１',
    'K',
    '{{x}}',
    '||',
    ':a',
    '$1',
  ],
]

describe('SQL that is given to a database', () => {
  test.each(['sqlite', 'mysql'] as const)('is made of our own words and names alone, whatever is said (%s)', (dialect) => {
    const random = seededRandom(20_260_101)
    const pick = <T>(list: T[]): T | undefined => list[Math.floor(random() * list.length)]
    let accepted = 0
    for (let round = 0; round < 20_000; round++) {
      const parts = (pick(statements) ?? '').split(/(\s+|\b)/)
      for (let changes = Math.floor(random() * 4); changes > 0; changes--)
        parts.splice(Math.floor(random() * parts.length), Math.floor(random() * 3), ...(random() < 0.8 ? [pick(nasty) ?? ''] : []))
      const sql = parts.join('')
      try {
        const { piece } = write(sql, dialect)
        expect(piece.text, sql).toMatch(vocabulary)
        expect(piece.text.split('?').length - 1, sql).toBe(piece.values.length)
        accepted++
      } catch (cause) {
        if (!(cause instanceof NodeError)) throw cause
      }
    }
    // else the test shows nothing
    expect(accepted).toBeGreaterThan(2_000)
  })

  test('has each text of the builder and of the values as a parameter', () => {
    const { piece } = write("select name from people where name = 'it''s' or name = ? limit 1", 'mysql')

    expect(piece).toEqual({
      text: 'select t0.f_1 as c0 from ut_7_1 as t0 where ((t0.f_1 = ?) or (t0.f_1 = ?)) limit 1',
      values: ["it's", "' or 1=1 --"],
    })
  })
})
