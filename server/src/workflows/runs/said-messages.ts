import type { Db } from '../../db/database.ts'
import { listEntries } from '../../journal/journal-store.ts'
import type { SaidMessage } from './run-speaker.ts'
import type { WorkflowEvent } from './workflow-event.ts'
import type { WorkflowRun } from './workflow-run.ts'

/**
 * What a run of a chatflow has said to its end since it began or was last answered. Its conversation gets that when the run ends or
 * waits, so a process that dies leaves it in the journal alone.
 */
export async function listSaidMessages(db: Db, { id, chat }: Pick<WorkflowRun, 'id' | 'chat'>): Promise<SaidMessage[]> {
  let said: SaidMessage[] = []
  for (let cursor = 0; chat;) {
    const page = await listEntries<WorkflowEvent>(db, id, cursor)
    const last = page.at(-1)
    if (!last) break

    for (const { event } of page) {
      if (event.type === 'waiting') said = []
      else said.push(...toSaid(event))
    }
    cursor = last.seq
  }
  return said
}

function toSaid(event: WorkflowEvent): SaidMessage[] {
  if (event.type !== 'message' || event.messageId === undefined || event.whole === undefined) return []
  return [{ id: event.messageId, text: event.whole, contentType: event.contentType ?? 'text' }]
}
