import { sql } from 'kysely'
import type { CreateTableBuilder } from 'kysely'
import type { DialectName } from './database.ts'

/** The words of the schema that differ between the databases. */
export const longText = (dialect: DialectName) => (dialect === 'mysql' ? sql`longtext` : sql`text`)

/** Text compared byte by byte (ids of other systems, e-mail addresses in lower case, names that must be unique). */
export const exactText = (dialect: DialectName, length: number) =>
  dialect === 'mysql' ? sql.raw(`varchar(${length}) character set utf8mb4 collate utf8mb4_bin`) : sql.raw(`varchar(${length})`)

/** @NOTE MariaDB's default character set may be latin1: every table says what it is. */
export function finishTable<T extends string, C extends string>(
  table: CreateTableBuilder<T, C>,
  dialect: DialectName,
): CreateTableBuilder<T, C> {
  return dialect === 'mysql' ? table.modifyEnd(sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci`) : table
}
