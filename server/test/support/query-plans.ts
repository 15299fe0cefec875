import { CompiledQuery, sql } from 'kysely'
import type { QueryId, RootOperationNode } from 'kysely'
import { dialectOf } from '../../src/db/database.ts'
import type { Db } from '../../src/db/database.ts'

/** Notes what is asked, each statement once, while it goes on as before. */
export type QueryNotes = {
  watch(db: Db): Db
  readonly queries: Map<string, CompiledQuery>
  /** Of all, the same ones too. */
  readonly count: number
}

export function createQueryNotes(): QueryNotes {
  const queries = new Map<string, CompiledQuery>()
  let count = 0
  return {
    queries,
    get count() {
      return count
    },
    watch(db) {
      const asked = new WeakMap<QueryId, RootOperationNode>()
      return db.withPlugin({
        transformQuery({ node, queryId }) {
          asked.set(queryId, node)
          return node
        },
        // @NOTE parts of statements are transformed too, but only whole ones have a result
        async transformResult({ result, queryId }) {
          const node = asked.get(queryId)
          const query = node && db.getExecutor().compileQuery(node, queryId)
          if (query) queries.set(query.sql, query)
          count++
          return result
        },
      })
    },
  }
}

/** The tables that the database would read from their beginning to their end. */
export async function fullScansOf(db: Db, query: CompiledQuery, tables: string[]): Promise<string[]> {
  const isSqlite = dialectOf(db) === 'sqlite'
  const explain = CompiledQuery.raw(`explain ${isSqlite ? 'query plan ' : ''}${query.sql}`, [...query.parameters])
  const { rows } = await db.executeQuery<Record<string, unknown>>(explain)
  const ends = /\blimit\b/.test(query.sql) && !/\bwhere\b/.test(query.sql)
  const scans = rows.flatMap(isSqlite ? scanInSqlite : scanInMariadb).filter(({ isOrdered }) => !(isOrdered && ends))
  const aliases = new Map(
    [...query.sql.matchAll(/(?:from|join) ["`](\w+)["`] as ["`](\w+)["`]/g)].map(([, table, alias]) => [alias, table]),
  )
  return scans.map(({ name }) => aliases.get(name) ?? name).filter((name) => tables.includes(name))
}

/** `isOrdered`: along an index, which ends where enough is found, unless most of what is found is left out. */
type Scan = { name: string; isOrdered: boolean }

function scanInSqlite({ detail }: Record<string, unknown>): Scan[] {
  const [, name, index] = /^SCAN (\w+)( USING)?/.exec(String(detail)) ?? []
  return name === undefined ? [] : [{ name, isOrdered: index !== undefined }]
}

const scanInMariadb = ({ type, table }: Record<string, unknown>): Scan[] =>
  type === 'ALL' || type === 'index' ? [{ name: String(table), isOrdered: type === 'index' }] : []

/** What MariaDB needs to know of its tables before it can choose well. */
export async function refreshStatistics(db: Db, tables: string[]): Promise<void> {
  if (dialectOf(db) === 'mysql') await sql`analyze table ${sql.join(tables.map((name) => sql.table(name)))}`.execute(db)
}
