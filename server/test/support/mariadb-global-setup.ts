import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { createConnection } from 'mysql2/promise'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { hasMariadb, startMariadb } from './mariadb-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** `POST` makes a migrated MariaDB database and answers its URL, `DELETE` with that URL as body drops it. */
    mariadbDoor: string
  }
}

/**
 * One private MariaDB for the whole run. It belongs to this process, which outlives the workers, and
 * starts when the first test asks for it: a run without store tests does not pay for it.
 */
export default async function mariadbGlobalSetup(project: TestProject): Promise<() => Promise<void>> {
  let factory: ReturnType<typeof startDatabaseFactory> | undefined

  const door = createServer((request, response) => {
    const answer = async () => {
      factory ??= startDatabaseFactory()
      if (request.method === 'POST') return (await factory).create()
      const url = Buffer.concat(await request.toArray()).toString()
      await (await factory).drop(url)
      return ''
    }
    answer().then(
      (text) => response.end(text),
      (cause: unknown) => response.writeHead(500).end(String(cause)),
    )
  })
  await once(door.listen(0, '127.0.0.1'), 'listening')
  const address = door.address()
  if (address === null || typeof address === 'string') throw new Error('the door has no port')
  project.provide('mariadbDoor', `http://127.0.0.1:${address.port}`)
  if (!hasMariadb()) console.warn('MariaDB is not installed: store tests run on SQLite only')

  return async () => {
    door.closeAllConnections()
    await new Promise((resolve) => door.close(resolve))
    await (await factory?.catch(() => undefined))?.close()
  }
}

/** Migrates one template and copies its tables: a copy takes milliseconds, a migration does not. */
async function startDatabaseFactory() {
  const server = await startMariadb()
  const admin = await createConnection({ uri: server.url('mysql'), multipleStatements: true })
  const templateSql = await makeTemplate(admin, server.url('template'))
  let made = 0

  return {
    async create(): Promise<string> {
      const name = `test_${++made}`
      await admin.query(`create database ${name} ${CHARSET}; use ${name}; ${templateSql}`)
      return server.url(name)
    },
    async drop(url: string): Promise<void> {
      await admin.query('drop database if exists ??', [new URL(url).pathname.slice(1)])
    },
    async close(): Promise<void> {
      admin.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** @NOTE latin1 on purpose, as on many real servers: a table that does not say its character set shows in the tests. */
const CHARSET = 'default character set latin1'

async function makeTemplate(admin: Connection, url: string): Promise<string> {
  await admin.query(`create database template ${CHARSET}`)
  const db = await openDatabase({ kind: 'mysql', url })
  await migrate(db)
  await db.destroy()

  const statements = ['set foreign_key_checks = 0']
  const [tables] = await admin.query<RowDataPacket[]>(
    "select table_name as name from information_schema.tables where table_schema = 'template'",
  )
  for (const { name } of tables) {
    const [[table]] = await admin.query<RowDataPacket[]>('show create table template.??', [name])
    statements.push(String(table?.['Create Table']), `insert into \`${name}\` select * from template.\`${name}\``)
  }
  return [...statements, 'set foreign_key_checks = 1'].join(';\n')
}
