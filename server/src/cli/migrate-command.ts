import { Command } from 'commander'
import { loadConfig } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { print } from './command-core.ts'

export const migrateCommand = () =>
  new Command('migrate').description('Bring the database schema up to date (serve does it too)').action(async () => {
    const db = await openDatabase(loadConfig().database)
    try {
      const applied = await migrate(db)
      print(applied.length === 0 ? 'The schema is up to date.' : `Applied: ${applied.join(', ')}`)
    } finally {
      await db.destroy()
    }
  })
