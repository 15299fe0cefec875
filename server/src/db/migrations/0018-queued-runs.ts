import type { MigrationStep } from './index.ts'

/** The chats that wait for a conversation are found at once, however many it has had; nothing else was asked of the runs of one. */
export const findQueuedRuns: MigrationStep = async (db, dialect) => {
  for (const name of ['run_of_conversation', 'run_status']) {
    const drop = db.schema.dropIndex(name)
    await (dialect === 'mysql' ? drop.on('run') : drop).execute()
  }
  await db.schema.createIndex('run_status').on('run').columns(['status', 'conversation_id', 'id']).execute()
}
