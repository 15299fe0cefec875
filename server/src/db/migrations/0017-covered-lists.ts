import type { MigrationStep } from './index.ts'

/**
 * Indexes that hold all that a list asks of a row: what it skips and counts is passed in the index, without a look at each row. The id is
 * at the end of every index of `api_key`, on both databases.
 */
export const coverLists: MigrationStep = async (db, dialect) => {
  await db.schema.createIndex('api_key_live').on('api_key').columns(['user_id', 'status']).execute()

  for (const [name, columns] of Object.entries(CONVERSATION_INDEXES)) {
    const drop = db.schema.dropIndex(name)
    await (dialect === 'mysql' ? drop.on('conversation') : drop).execute()
    await db.schema
      .createIndex(name)
      .on('conversation')
      .columns([...columns])
      .execute()
  }
}

/** In place of those of the same names, which ended with the id. */
const CONVERSATION_INDEXES = {
  conversation_of_owner: ['owner_id', 'deleted_at', 'id', 'connector_id'],
  conversation_of_bot: ['owner_id', 'bot_id', 'deleted_at', 'id', 'connector_id'],
  conversation_of_end_user: ['owner_id', 'bot_id', 'end_user', 'deleted_at', 'id', 'connector_id'],
} as const
