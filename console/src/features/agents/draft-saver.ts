import type { Agent, AgentDraft, SaveDraft } from '../../../../server/src/http/console/agent-wire.ts'
import { ApiError, isPassing } from '../../lib/api-error.ts'
import { withoutSecrets } from './draft-stash.ts'
import type { DraftStash } from './draft-stash.ts'

/**
 * saved: the server has all of it · waiting: it will be sent in a moment · saving · failed: it will be tried again, by itself where that may
 * help · conflict: somebody else has changed the agent; nothing is sent until the person has decided.
 */
export type SaveState = 'saved' | 'waiting' | 'saving' | 'failed' | 'conflict'

export type DraftSnapshot = {
  draft: AgentDraft
  /** As the server has answered last. */
  agent: Agent
  state: SaveState
  /** Of `failed` and `conflict`. */
  error: unknown
  /** There were changes in this tab that no server had seen: they are in the draft. */
  isRecovered: boolean
}

export type DraftSaver = {
  getSnapshot(): DraftSnapshot
  subscribe(listener: () => void): () => void
  edit(change: Partial<AgentDraft>): void
  /** Sends what there is. True when the server has everything. */
  flush(): Promise<boolean>
  /** The answer of a publication: the same draft, other circumstances. */
  noteAgent(agent: Agent): void
  /** Ends a conflict: mine is forgotten. */
  takeTheirs(theirs: Agent): void
  /** Ends a conflict: theirs is overwritten, which the person has decided after seeing it. */
  keepMine(theirs: Agent): Promise<boolean>
  /** No timer goes on. What was not saved stays in the stash. */
  stop(): void
}

export type DraftSaverDeps = {
  agent: Agent
  save: (draft: SaveDraft) => Promise<Agent>
  load: () => Promise<Agent>
  stash: DraftStash
  delayMs?: number
  retryMs?: number
}

const DELAY_MS = 700
const RETRY_MS = 2_000
const MAX_RETRY_MS = 30_000

/**
 * Keeps one draft on the server while a person edits it. One request is under way at a time; the last edit wins over what it answers. What
 * an earlier page has left in the stash is taken over: the first `flush` sends it.
 */
export function createDraftSaver(deps: DraftSaverDeps): DraftSaver {
  const { stash, delayMs = DELAY_MS } = deps
  const store = createStore(firstSnapshot(deps.agent, stash))
  const { flush, wait, stop } = createSender(deps, store)

  return {
    getSnapshot: store.get,
    subscribe: store.subscribe,
    edit(part) {
      const { agent, state, ...before } = store.get()
      const draft = { ...before.draft, ...part }
      stash.write({ draft, revision: agent.revision })
      if (state === 'conflict' || state === 'saving') return store.change({ draft })
      store.change({ draft, state: 'waiting' })
      wait(delayMs)
    },
    flush,
    noteAgent: (agent) => store.change({ agent }),
    takeTheirs(theirs) {
      stash.clear()
      store.change({ draft: theirs.draft, agent: theirs, state: 'saved', error: undefined, isRecovered: false })
    },
    keepMine(theirs) {
      store.change({ agent: theirs, state: 'waiting', error: undefined })
      return flush()
    },
    stop,
  }
}

type Store = ReturnType<typeof createStore>

function createStore(first: DraftSnapshot) {
  const listeners = new Set<() => void>()
  let now = first
  return {
    get: () => now,
    change(part: Partial<DraftSnapshot>) {
      now = { ...now, ...part }
      for (const listener of listeners) listener()
    },
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function createSender({ save, load, stash, delayMs = DELAY_MS, retryMs = RETRY_MS }: DraftSaverDeps, { get, change }: Store) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  // sent, without an answer: the server may have it all the same
  let unanswered: AgentDraft | undefined
  let underWay: Promise<boolean> | undefined

  const wait = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => void flush(), ms)
  }

  async function flush(): Promise<boolean> {
    clearTimeout(timer)
    if (underWay) await underWay
    const { state } = get()
    if (state === 'saved' || state === 'conflict') return state === 'saved'
    // whoever waited for the same request as we did may have begun the next one
    underWay ??= send().finally(() => (underWay = undefined))
    return underWay
  }

  async function send(): Promise<boolean> {
    const sent = get().draft
    change({ state: 'saving', error: undefined })
    try {
      const saved = await save({ draft: sent, revision: get().agent.revision })
      failures = 0
      unanswered = undefined
      settle(sent, saved)
      return get().state === 'saved'
    } catch (error) {
      if (isConflict(error) && (await isOwnDoing())) return send()
      fail(sent, error)
      return false
    }
  }

  /** Whether what has changed the agent is a save of this tab, whose answer was lost on its way. */
  async function isOwnDoing(): Promise<boolean> {
    const theirs = unanswered && (await load().catch(() => undefined))
    if (!theirs || textOf(theirs.draft) !== textOf(unanswered)) return false
    unanswered = undefined
    change({ agent: theirs })
    return true
  }

  function settle(sent: AgentDraft, saved: Agent): void {
    const { draft: now } = get()
    // what the server does not give back, such as a header's value, is not kept here either
    const draft = { ...now, tools: now.tools === sent.tools ? saved.draft.tools : now.tools }
    if (now === sent) {
      stash.clear()
      return change({ draft, agent: saved, state: 'saved', isRecovered: false })
    }
    stash.write({ draft, revision: saved.revision })
    change({ draft, agent: saved, state: 'waiting', isRecovered: false })
    wait(delayMs)
  }

  function fail(sent: AgentDraft, error: unknown): void {
    if (isConflict(error)) return change({ state: 'conflict', error })
    change({ state: 'failed', error })
    if (!isPassing(error)) return
    unanswered = sent
    wait(Math.min(retryMs * 2 ** failures++, MAX_RETRY_MS))
  }

  return { flush, wait, stop: () => clearTimeout(timer) }
}

function firstSnapshot(agent: Agent, stash: DraftStash): DraftSnapshot {
  const left = stash.read()
  if (!left || textOf(left.draft) === textOf(agent.draft))
    return { draft: agent.draft, agent, state: 'saved', error: undefined, isRecovered: false }
  // with the revision that it was made from: if the agent is another one by now, the server says so
  return { draft: left.draft, agent: { ...agent, revision: left.revision }, state: 'waiting', error: undefined, isRecovered: true }
}

const isConflict = (error: unknown) => error instanceof ApiError && error.failure === 'conflict'

const textOf = (draft: AgentDraft | undefined) => draft && JSON.stringify(withoutSecrets(draft))
