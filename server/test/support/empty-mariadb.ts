import { createConnection } from 'mysql2/promise'
import { inject } from 'vitest'

/** A database of the run's private MariaDB without a table in it, as an operator makes one; disposing of it drops it. */
export async function createEmptyMariadb(): Promise<{ url: string } & AsyncDisposable> {
  // the door hands out migrated ones: this is one of those, made anew
  const response = await fetch(inject('mariadbDoor'), { method: 'POST' })
  const url = await response.text()
  if (!response.ok) throw new Error(`no test database: ${url}`)

  const name = new URL(url).pathname.slice(1)
  const connection = await createConnection(url)
  await connection.query('drop database ??', [name])
  await connection.query('create database ?? character set utf8mb4 collate utf8mb4_unicode_ci', [name])
  await connection.end()

  const drop = async () => void (await fetch(inject('mariadbDoor'), { method: 'DELETE', body: url }))
  return { url, [Symbol.asyncDispose]: drop }
}
