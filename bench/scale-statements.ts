import type { CompiledQuery } from 'kysely'
import { createApp } from '../server/src/app.ts'
import { explainStatement, noteStatements } from '../server/test/support/explained-statements.ts'
import { createConnection } from './http-connection.ts'
import { openHouseCore, type House } from './scale-house.ts'
import { ask, callAt } from './scale-measure.ts'
import { scaleRoutes } from './scale-routes.ts'

/** A statement that the server has run, the routes that ran it, and how the database goes about it. */
export type ExplainedStatement = { sql: string; routes: string[]; plan: string[] }

/** Runs the server in this process, asks each route once, and has every statement that this took explained. */
export async function explainRoutes(house: House): Promise<ExplainedStatement[]> {
  const core = await openHouseCore(house)
  const { noted, statements: seen } = noteStatements(core.db)
  const app = await createApp({ ...core, db: noted })
  await app.http.listen({ host: '127.0.0.1', port: 0 })
  const address = app.http.server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  const caller = await callAt(house, address.port)
  const connection = createConnection(address.port)
  const statements = new Map<string, { query: CompiledQuery; routes: Set<string> }>()
  const take = (name: string) => {
    for (const query of seen.splice(0).filter(({ sql }) => isReading(sql))) {
      const known = statements.get(query.sql) ?? { query, routes: new Set() }
      known.routes.add(name)
      statements.set(query.sql, known)
    }
  }
  take('start, chores and signing in')
  for (const route of scaleRoutes) {
    await ask(connection, route, caller)
    take(route.name)
  }
  connection.close()
  await app.close()
  const explained: ExplainedStatement[] = []
  for (const { query, routes } of statements.values())
    explained.push({ sql: query.sql, routes: [...routes], plan: await explainStatement(core.db, query) })
  await core.close()
  return explained
}

/** Inserts look for nothing. */
const isReading = (sql: string) => /^(select|update|delete)/.test(sql)
