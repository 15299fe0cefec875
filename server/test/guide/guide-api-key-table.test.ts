import { createConnection } from 'mysql2/promise'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { describe, expect, test } from 'vitest'
import { createEmptyMariadb } from '../support/empty-mariadb.ts'
import { startServe } from '../support/serve-process.ts'
import { testDatabases } from '../support/test-databases.ts'
import { samples } from './guide-files.ts'

const onMariadb = testDatabases().filter(({ name }) => name === 'MariaDB')

describe.skipIf(onMariadb.length === 0)(`the table api_key that a started server has made, beside ${samples.whose}`, () => {
  test('has every column and every index of it', async () => {
    await using mine = await createEmptyMariadb()
    await using theirs = await createEmptyMariadb()
    await using _server = await startServe({ DATABASE_URL: mine.url })
    const [product, guide] = [await createConnection(mine.url), await createConnection(theirs.url)]
    await guide.query(await samples.read('api_key.sql'))

    const expectedColumns = await columnsOf(guide)
    const columns = await columnsOf(product)
    expect(expectedColumns).toHaveLength(10)
    expect(columns.slice(0, expectedColumns.length)).toEqual(expectedColumns)
    // a row written for the guide's table names none of ours
    expect(columns.slice(expectedColumns.length).filter(({ preset }) => preset === null)).toEqual([])

    const expectedIndexes = await indexesOf(guide)
    expect(expectedIndexes).toHaveLength(4)
    expect(await indexesOf(product)).toEqual(expect.arrayContaining(expectedIndexes))
    expect(await shapeOf(product)).toEqual(await shapeOf(guide))
    await Promise.all([product.end(), guide.end()])
  })
})

const columnsOf = (connection: Connection) =>
  rowsOf(
    connection,
    `select column_name as name, column_type as type, is_nullable as nullable, column_default as preset, extra,
      character_set_name as charset, collation_name as collation
    from information_schema.columns where table_schema = database() and table_name = 'api_key' order by ordinal_position`,
  )

const indexesOf = (connection: Connection) =>
  rowsOf(
    connection,
    `select index_name as name, group_concat(column_name order by seq_in_index) as columns, min(non_unique) as many
    from information_schema.statistics where table_schema = database() and table_name = 'api_key' group by index_name`,
  )

const shapeOf = (connection: Connection) =>
  rowsOf(
    connection,
    `select engine, table_collation as collation from information_schema.tables where table_schema = database() and table_name = 'api_key'`,
  )

async function rowsOf(connection: Connection, query: string): Promise<RowDataPacket[]> {
  const [rows] = await connection.query<RowDataPacket[]>(query)
  return rows
}
