import { CompiledQuery, type KyselyPlugin, type QueryId, type RootOperationNode } from 'kysely'
import { createApp } from '../server/src/app.ts'
import type { Db } from '../server/src/db/database.ts'
import { createConnection } from './http-connection.ts'
import { databaseOf, openHouseCore, type House } from './scale-house.ts'
import { ask, callAt } from './scale-measure.ts'
import { scaleRoutes } from './scale-routes.ts'

/** A statement that the server has run, the routes that ran it, and how the database goes about it. */
export type ExplainedStatement = { sql: string; routes: string[]; plan: string[] }

/** Runs the server in this process, asks each route once, and has every statement that this took explained. */
export async function explainRoutes(house: House): Promise<ExplainedStatement[]> {
  const core = await openHouseCore(house)
  const seen: CompiledQuery[] = []
  const app = await createApp({ ...core, db: core.db.withPlugin(noting(core.db, seen)) })
  await app.http.listen({ host: '127.0.0.1', port: 0 })
  const address = app.http.server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  const caller = await callAt(house, address.port)
  const connection = createConnection(address.port)
  const statements = new Map<string, { query: CompiledQuery; routes: Set<string> }>()
  for (const route of scaleRoutes) {
    seen.length = 0
    await ask(connection, route, caller)
    for (const query of seen.filter(({ sql }) => isReading(sql))) {
      const known = statements.get(query.sql) ?? { query, routes: new Set() }
      known.routes.add(route.name)
      statements.set(query.sql, known)
    }
  }
  connection.close()
  await app.close()
  const explained: ExplainedStatement[] = []
  for (const { query, routes } of statements.values())
    explained.push({ sql: query.sql, routes: [...routes], plan: await explain(core.db, databaseOf(core), query) })
  await core.close()
  return explained
}

/** Inserts look for nothing. */
const isReading = (sql: string) => /^(select|update|delete)/.test(sql)

/** @NOTE compiled a second time, by the same compiler; parts of a statement come by too, but only the whole has a result */
function noting(db: Db, seen: CompiledQuery[]): KyselyPlugin {
  const executor = db.getExecutor()
  const built = new WeakMap<QueryId, RootOperationNode>()
  return {
    transformQuery({ node, queryId }) {
      built.set(queryId, node)
      return node
    },
    transformResult({ queryId, result }) {
      const node = built.get(queryId)
      if (node) seen.push(executor.compileQuery(node, queryId))
      return Promise.resolve(result)
    },
  }
}

type PlanRow = Partial<Record<'detail' | 'table' | 'type' | 'key' | 'rows' | 'Extra', string | number | null>>

async function explain(db: Db, database: 'SQLite' | 'MariaDB', { sql, parameters }: CompiledQuery): Promise<string[]> {
  const word = database === 'SQLite' ? 'explain query plan' : 'explain'
  const { rows } = await db.executeQuery<PlanRow>(CompiledQuery.raw(`${word} ${sql}`, [...parameters]))
  return rows.map(
    (row) => row.detail?.toString() ?? `${row.table}: ${row.type}, key ${row.key}, about ${row.rows} rows. ${row.Extra ?? ''}`.trim(),
  )
}
