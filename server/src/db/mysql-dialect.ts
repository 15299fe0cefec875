import { MysqlDialect } from 'kysely'
import type { Dialect } from 'kysely'

const LOCK_WAIT_SECONDS = 5

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
  // a row that somebody else has locked must not stop all that is to be written for the server's default of 50 s
  pool.on('connection', (connection) => connection.query(`set session innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`))
  return new MysqlDialect({ pool })
}
