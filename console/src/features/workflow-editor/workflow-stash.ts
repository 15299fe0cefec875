import type { WorkflowDraft } from '../../../../server/src/http/console/builder-workflow-wire.ts'

export type StashedWorkflow = { draft: WorkflowDraft; revision: string }

/** What was drawn and not saved yet, for when the page goes away before it could be. Of one tab: two of them do not meet here. */
export type WorkflowStash = { read(): StashedWorkflow | undefined; write(stashed: StashedWorkflow): void; clear(): void }

export function createWorkflowStash(name: { userId: string; workflowId: string }, storage: Storage = sessionStorage): WorkflowStash {
  const key = `coze-plus.workflow.${name.userId}.${name.workflowId}`
  return {
    read: () => parseStashed(storage.getItem(key)),
    write(stashed) {
      try {
        storage.setItem(key, JSON.stringify(stashed))
      } catch {
        // no room or not allowed: the page still asks before it is left
      }
    },
    clear: () => storage.removeItem(key),
  }
}

/** Written by this file only. */
function parseStashed(text: string | null): StashedWorkflow | undefined {
  try {
    return text === null ? undefined : (JSON.parse(text) as StashedWorkflow)
  } catch {
    return undefined
  }
}
