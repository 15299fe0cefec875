import { finishTable } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

/** Runs that somebody wants stopped whom their own process has not heard yet. */
export const createStopRequests: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('stop_request')
      .addColumn('run_id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('created_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()
}
