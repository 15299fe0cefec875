import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'

/** The guide's table, as information_schema tells it. */
const GUIDE_COLUMNS = [
  ['id', 'bigint(20) unsigned', 'NO', null, 'auto_increment', 'PRI'],
  ['api_key', 'varchar(255)', 'NO', "''", '', 'UNI'],
  ['name', 'varchar(255)', 'NO', "''", '', ''],
  ['status', 'tinyint(4)', 'NO', '0', '', ''],
  ['user_id', 'bigint(20)', 'NO', '0', '', 'MUL'],
  ['expired_at', 'bigint(20)', 'NO', '0', '', 'MUL'],
  ['created_at', 'bigint(20) unsigned', 'NO', '0', '', ''],
  ['updated_at', 'bigint(20) unsigned', 'NO', '0', '', ''],
  ['last_used_at', 'bigint(20)', 'NO', '0', '', 'MUL'],
  ['ak_type', 'tinyint(4)', 'NO', '0', '', ''],
]
const OUR_COLUMNS = ['secret_hash', 'last_four', 'policy', 'disabled_at', 'maker_key_id']

const GUIDE_INDEXES = [
  ['PRIMARY', 'id', 'unique'],
  ['idx_expired_status', 'expired_at,status', 'any'],
  ['idx_user_id', 'user_id', 'any'],
  ['uniq_key', 'api_key', 'unique'],
]
const OUR_INDEXES = [
  ['api_key_maker', 'maker_key_id,id', 'any'],
  ['api_key_live', 'user_id,status', 'any'],
]
const RECOMMENDED_INDEX = ['idx_last_used', 'last_used_at', 'any']

describe.each(testDatabases().filter(({ name }) => name === 'MariaDB'))('the table api_key on $name', ({ open }) => {
  test('has the columns of the guide, in its order, and ours after them', async () => {
    await using db = await open()
    const { rows } = await sql<Record<string, unknown>>`
      select column_name as name, column_type as type, is_nullable as nullable, column_default as preset, extra as extra, column_key as part
      from information_schema.columns where table_schema = database() and table_name = 'api_key' order by ordinal_position`.execute(db)
    const columns = rows.map((row) => [row.name, row.type, row.nullable, row.preset, row.extra, row.part])

    expect(columns.slice(0, GUIDE_COLUMNS.length)).toEqual(GUIDE_COLUMNS)
    expect(columns.slice(GUIDE_COLUMNS.length).map(([name]) => name)).toEqual(OUR_COLUMNS)
    // an INSERT written for Coze's table names none of ours
    expect(columns.slice(GUIDE_COLUMNS.length).every(([, , nullable, preset]) => nullable === 'YES' || preset !== null)).toBe(true)
  })

  test('has the indexes of the guide, the one it recommends and two of ours', async () => {
    await using db = await open()
    const { rows } = await sql<Record<string, unknown>>`
      select index_name as name, group_concat(column_name order by seq_in_index) as parts, max(non_unique) as many
      from information_schema.statistics where table_schema = database() and table_name = 'api_key' group by index_name`.execute(db)
    const indexes = rows.map((row) => [row.name, row.parts, row.many === 0 ? 'unique' : 'any'])

    expect(new Set(indexes)).toEqual(new Set([...GUIDE_INDEXES, RECOMMENDED_INDEX, ...OUR_INDEXES]))
  })

  test('is InnoDB and utf8mb4, whatever the database’s default is', async () => {
    await using db = await open()
    const { rows } = await sql<Record<string, unknown>>`
      select engine as engine, table_collation as collation from information_schema.tables
      where table_schema = database() and table_name = 'api_key'`.execute(db)

    expect(rows).toEqual([{ engine: 'InnoDB', collation: 'utf8mb4_unicode_ci' }])
  })
})
