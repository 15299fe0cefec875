import type { Db } from '../db/database.ts'

/** The workflows that have run in a conversation, and whether an app has a name for it. */
export async function findWorkflowsIn(db: Db, conversationId: string): Promise<{ workflowIds: string[]; isNamed: boolean }> {
  const [runs, named] = await Promise.all([
    db.selectFrom('workflow_run').select('workflow_id').distinct().where('conversation_id', '=', conversationId).execute(),
    db.selectFrom('app_conversation').select('conversation_id').where('conversation_id', '=', conversationId).executeTakeFirst(),
  ])
  return { workflowIds: runs.map((row) => String(row.workflow_id)), isNamed: named !== undefined }
}
