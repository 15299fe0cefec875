import { useEffect, useRef, useState } from 'react'
import type { Preview, PreviewChat, PreviewOutputs } from '../../../../server/src/http/console/preview-wire.ts'
import { api } from '../../lib/api-client.ts'
import { isAbort, isPassing } from '../../lib/api-error.ts'
import { openEvents } from '../../lib/api-events.ts'
import { newTurn, withEvent } from './preview-turns.ts'
import type { PreviewTurn } from './preview-turns.ts'

export type PreviewOptions = {
  agentId: string
  /** The chat is with the stored draft: false when it could not be stored. */
  flush: () => Promise<boolean>
}

export type PreviewChatHold = {
  turns: PreviewTurn[]
  isBusy: boolean
  /** Why the last question was not taken; it is not among the turns then. */
  error: unknown
  /** True when the question has been taken. */
  ask(question: string, variables: Record<string, string>): Promise<boolean>
  stop(): void
  /** What the functions have answered that the last turn waits for. */
  answerCalls(outputs: { tool_call_id: string; output: string }[]): Promise<void>
  /** After the connection was lost. */
  reconnect(): void
  startAgain(): void
}

type FollowedChat = PreviewChat & { cursor: number }

const MAX_TRIES = 5
const PAUSE_MS = 1_000

/** A chat with the draft. A stream that breaks goes on where it was. */
export function usePreviewChat({ agentId, flush }: PreviewOptions): PreviewChatHold {
  const { turns, chat, begin, follow, changeLast, forget } = useFollowedTurns(agentId)
  const [isSending, setSending] = useState(false)
  const [error, setError] = useState<unknown>()
  const base = previewOf(agentId)

  async function ask(question: string, variables: Record<string, string>): Promise<boolean> {
    setError(undefined)
    setSending(true)
    try {
      if (!(await flush())) return false
      const wanted: Preview = { query: question, variables, conversation_id: chat.current?.conversation_id }
      begin(await api.post<PreviewChat>(base, wanted), question)
      return true
    } catch (cause) {
      setError(cause)
      return false
    } finally {
      setSending(false)
    }
  }

  async function answerCalls(outputs: PreviewOutputs['tool_outputs']): Promise<void> {
    const now = chat.current
    if (!now) return
    setError(undefined)
    try {
      const wanted: PreviewOutputs = { conversation_id: now.conversation_id, chat_id: now.chat_id, tool_outputs: outputs }
      const { cursor } = await api.post<PreviewChat & { cursor: number }>(`${base}/tool-outputs`, wanted)
      changeLast((turn) => ({ ...turn, state: 'running', waitingFor: [] }))
      follow(cursor)
    } catch (cause) {
      setError(cause)
    }
  }

  const stop = () => {
    const now = chat.current
    if (now) void api.post(`${base}/cancel`, { conversation_id: now.conversation_id, chat_id: now.chat_id }).catch(setError)
  }
  const reconnect = () => {
    changeLast((turn) => ({ ...turn, state: 'running' }))
    follow()
  }
  const startAgain = () => {
    if (turns.at(-1)?.state === 'running') stop()
    forget()
    setError(undefined)
  }

  const isBusy = isSending || turns.at(-1)?.state === 'running'
  return { turns, isBusy, error, ask, stop, answerCalls, reconnect, startAgain }
}

const previewOf = (agentId: string) => `/api/console/agents/${agentId}/preview`

/** The turns, of which the last one is that of the chat; ends with the page. */
function useFollowedTurns(agentId: string) {
  const [turns, setTurns] = useState<PreviewTurn[]>([])
  const chat = useRef<FollowedChat>(undefined)
  const following = useRef(new AbortController())
  useEffect(() => () => following.current.abort(), [])

  const changeLast = (change: (turn: PreviewTurn) => PreviewTurn) =>
    setTurns((before) => before.map((turn, index) => (index === before.length - 1 ? change(turn) : turn)))
  const follow = (cursor?: number) => {
    const now = chat.current
    if (!now) return
    now.cursor = cursor ?? now.cursor
    following.current.abort()
    following.current = new AbortController()
    void followChat(`${previewOf(agentId)}/stream`, { chat: now, signal: following.current.signal, changeTurn: changeLast })
  }
  const begin = (started: PreviewChat, question: string) => {
    chat.current = { ...started, cursor: 0 }
    setTurns((before) => [...before, newTurn(started.chat_id, question)])
    follow()
  }
  const forget = () => {
    following.current.abort()
    chat.current = undefined
    setTurns([])
  }
  return { turns, chat, begin, follow, changeLast, forget }
}

type Following = { chat: FollowedChat; signal: AbortSignal; changeTurn: (change: (turn: PreviewTurn) => PreviewTurn) => void }

/** Until the stream ends, or nobody listens any more; a connection that cannot be had again leaves the turn `lost`. */
async function followChat(path: string, { chat, signal, changeTurn }: Following): Promise<void> {
  let tries = 0
  const readOnce = async () => {
    const query = { conversation_id: chat.conversation_id, chat_id: chat.chat_id, starting_after: chat.cursor }
    for await (const event of openEvents(path, { query, signal })) {
      tries = 0
      if (event.id !== undefined) chat.cursor = Number(event.id)
      changeTurn((turn) => withEvent(turn, event))
    }
  }

  while (tries++ < MAX_TRIES) {
    try {
      return await readOnce()
    } catch (cause) {
      if (isAbort(cause)) return
      if (!isPassing(cause)) break
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
  changeTurn((turn) => ({ ...turn, state: 'lost' }))
}
