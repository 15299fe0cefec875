import type { AgentDraft, SaveDraft } from '../../../../server/src/http/console/agent-wire.ts'

type Stashed = { draft: AgentDraft; revision: string }

/** What was edited and not saved yet, for when the page goes away before it could be. Of one tab: two of them do not meet here. */
export type DraftStash = { read(): Stashed | undefined; write(draft: SaveDraft & Stashed): void; clear(): void }

/** Values of headers are secrets and are not put there: they have to be entered again. */
export function createDraftStash(name: { userId: string; agentId: string }, storage: Storage = sessionStorage): DraftStash {
  const key = `coze-plus.draft.${name.userId}.${name.agentId}`
  return {
    read: () => parseStashed(storage.getItem(key)),
    write({ draft, revision }) {
      try {
        storage.setItem(key, JSON.stringify({ draft: withoutSecrets(draft), revision }))
      } catch {
        // no room or not allowed: the page still asks before it is left
      }
    },
    clear: () => storage.removeItem(key),
  }
}

/** What the server would give back. */
export const withoutSecrets = (draft: AgentDraft): AgentDraft => ({
  ...draft,
  tools: draft.tools.map((tool) =>
    tool.type === 'function' ? tool : { ...tool, headers: tool.headers.map(({ name }) => ({ name, value: null })) },
  ),
})

/** Written by this file only. */
function parseStashed(text: string | null): Stashed | undefined {
  try {
    return text === null ? undefined : (JSON.parse(text) as Stashed)
  } catch {
    return undefined
  }
}
