import { CompiledQuery } from 'kysely'
import type { QueryId, RootOperationNode } from 'kysely'
import { dialectOf } from '../../src/db/database.ts'
import type { Db } from '../../src/db/database.ts'

/** The same database, and what is asked of it through `noted`, in order, as the database gets it. */
export function noteStatements(db: Db): { noted: Db; statements: CompiledQuery[] } {
  const executor = db.getExecutor()
  const statements: CompiledQuery[] = []
  const built = new WeakMap<QueryId, RootOperationNode>()
  const noted = db.withPlugin({
    // parts of a statement come by too, but only the whole has a result
    transformQuery({ node, queryId }) {
      built.set(queryId, node)
      return node
    },
    transformResult({ queryId, result }) {
      const node = built.get(queryId)
      if (node) statements.push(executor.compileQuery(node, queryId))
      return Promise.resolve(result)
    },
  })
  return { noted, statements }
}

type PlanRow = Partial<Record<'detail' | 'table' | 'type' | 'key' | 'rows' | 'Extra', string | number | null>>

/** How the database goes about it, a line for each table: `COVERING INDEX` and `Using index` say that no row is fetched. */
export async function explainStatement(db: Db, { sql, parameters }: CompiledQuery): Promise<string[]> {
  const word = dialectOf(db) === 'mysql' ? 'explain' : 'explain query plan'
  const { rows } = await db.executeQuery<PlanRow>(CompiledQuery.raw(`${word} ${sql}`, [...parameters]))
  return rows.map(
    (row) => row.detail?.toString() ?? `${row.table}: ${row.type}, key ${row.key}, about ${row.rows} rows. ${row.Extra ?? ''}`.trim(),
  )
}
