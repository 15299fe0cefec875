import type { Agent, AgentDraft } from '../../server/src/http/console/agent-wire.ts'

type DraftInput = Partial<AgentDraft> | { name: string }

/** A draft as the server gives it, blank but for what is said. */
export function makeDraft(part: DraftInput = {}): AgentDraft {
  return {
    ...{ name: 'Ada', description: '', icon_url: '', prompt: '', model: 'default', suggest_replies: false },
    parameters: {
      ...{ temperature: null, top_p: null, max_tokens: null, presence_penalty: null, frequency_penalty: null },
      ...{ response_format: null, history_rounds: 20 },
    },
    onboarding: { prologue: '', suggested_questions: [] },
    ...{ variables: [], tools: [], workflows: [], mode: 'agent', chatflow_id: '', webhook_url: '', shortcuts: [] },
    ...part,
  }
}

export function makeAgent({ id = '5', draft, ...part }: Partial<Omit<Agent, 'draft'>> & { draft?: DraftInput } = {}): Agent {
  const times = { created_at: Date.UTC(2026, 0, 1), updated_at: Date.UTC(2026, 0, 2) }
  return { id, draft: makeDraft(draft), revision: 'r1', ...times, live: null, has_unpublished_changes: true, ...part }
}
