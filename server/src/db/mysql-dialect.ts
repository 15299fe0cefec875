import { MysqlDialect } from 'kysely'
import type { Dialect } from 'kysely'

/** MySQL 8 or MariaDB 10.6+. The driver is loaded only when it is used: it costs start-up time and memory. */
export async function createMysqlDialect(url: string): Promise<Dialect> {
  const { createPool } = await import('mysql2')
  const pool = createPool({
    uri: url,
    connectionLimit: 10,
    charset: 'utf8mb4_unicode_ci',
    timezone: 'Z',
    // exact as a number where it fits, else a digit string: the same as the SQLite dialect gives
    supportBigNumbers: true,
    bigNumberStrings: false,
    connectTimeout: 5_000,
    enableKeepAlive: true,
  })
  return new MysqlDialect({ pool })
}
