import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Agent, AgentDraft } from '../../../../server/src/http/console/agent-wire.ts'
import { useCurrentUser } from '../../lib/current-user.ts'
import { fetchAgent, putDraft, useRememberAgent } from './agents-queries.ts'
import { createDraftSaver } from './draft-saver.ts'
import type { DraftSaver, DraftSnapshot } from './draft-saver.ts'
import { createDraftStash } from './draft-stash.ts'

export type AgentDraftHold = DraftSnapshot & { saver: DraftSaver }

/** What a part of the editor needs. */
export type DraftEditing = { draft: AgentDraft; edit: (change: Partial<AgentDraft>) => void }

/** The draft of an agent, saved by itself; begins with `agent` and is not disturbed when the page learns of another. */
export function useAgentDraft(agent: Agent): AgentDraftHold {
  const { id: userId } = useCurrentUser()
  const remember = useRememberAgent()
  const [saver] = useState(() =>
    createDraftSaver({
      agent,
      stash: createDraftStash({ userId, agentId: agent.id }),
      load: () => fetchAgent(agent.id),
      async save(draft) {
        const saved = await putDraft(agent.id, draft)
        remember(saved)
        return saved
      },
    }),
  )
  const snapshot = useSyncExternalStore(saver.subscribe, saver.getSnapshot)
  const isSaved = snapshot.state === 'saved'

  useEffect(() => {
    void saver.flush()
    return saver.stop
  }, [saver])
  useEffect(() => {
    const again = () => void saver.flush()
    window.addEventListener('online', again)
    return () => window.removeEventListener('online', again)
  }, [saver])
  useEffect(() => {
    if (isSaved) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [isSaved])

  return { ...snapshot, saver }
}
