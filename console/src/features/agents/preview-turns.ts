import type { ApiEvent } from '../../lib/api-events.ts'

/** What the agent said or did in a turn, in order. */
export type PreviewPart =
  | { kind: 'answer'; id: string; text: string; reasoning: string }
  | { kind: 'call'; id: string; name: string; input: string }
  | { kind: 'result'; id: string; text: string }

/** A function that the chat waits for. */
export type WaitingCall = { id: string; name: string; input: string }

/** A question and all that came of it. `lost`: the connection is gone, the chat may go on. */
export type PreviewTurn = {
  key: string
  question: string
  parts: PreviewPart[]
  followUps: string[]
  state: 'running' | 'waiting' | 'completed' | 'failed' | 'canceled' | 'lost'
  waitingFor: WaitingCall[]
  /** The chat's own words of why it failed. */
  problem: string
  tokens: number
}

export const newTurn = (key: string, question: string): PreviewTurn => ({
  ...{ key, question, parts: [], followUps: [], state: 'running', waitingFor: [], problem: '', tokens: 0 },
})

/** A turn after one more event of its stream. */
export function withEvent(turn: PreviewTurn, { event, data }: ApiEvent): PreviewTurn {
  if (event === 'conversation.message.delta') return withDelta(turn, parseWire(data))
  if (event === 'conversation.message.completed') return withMessage(turn, parseWire(data))
  if (event === 'error') return { ...turn, state: 'failed', problem: textIn(parseWire(data), 'msg') }
  const state = CHAT_STATES[event]
  return state ? withChat(turn, state, parseWire(data)) : turn
}

const CHAT_STATES: Record<string, PreviewTurn['state']> = {
  'conversation.chat.in_progress': 'running',
  'conversation.chat.requires_action': 'waiting',
  'conversation.chat.completed': 'completed',
  'conversation.chat.failed': 'failed',
  'conversation.chat.canceled': 'canceled',
}

function withDelta(turn: PreviewTurn, wire: Wire): PreviewTurn {
  const id = textIn(wire, 'id')
  const before = turn.parts.find((part) => part.kind === 'answer' && part.id === id)
  const [said, thought] = [textIn(wire, 'content'), textIn(wire, 'reasoning_content')]
  if (before?.kind !== 'answer') return { ...turn, parts: [...turn.parts, { kind: 'answer', id, text: said, reasoning: thought }] }
  const grown = { ...before, text: before.text + said, reasoning: before.reasoning + thought }
  return { ...turn, parts: turn.parts.map((part) => (part === before ? grown : part)) }
}

function withMessage(turn: PreviewTurn, wire: Wire): PreviewTurn {
  const [id, text] = [textIn(wire, 'id'), textIn(wire, 'content')]
  const put = (part: PreviewPart) => ({ ...turn, parts: [...turn.parts.filter((each) => each.id !== id), part] })
  switch (textIn(wire, 'type')) {
    case 'answer':
      return put({ kind: 'answer', id, text, reasoning: textIn(wire, 'reasoning_content') })
    case 'follow_up':
      return { ...turn, followUps: [...turn.followUps, text] }
    case 'function_call': {
      const call = parseWire(text)
      return put({ kind: 'call', id, name: textIn(call, 'name'), input: jsonIn(call, 'arguments') })
    }
    case 'tool_response':
    case 'tool_output':
      return put({ kind: 'result', id, text })
    default:
      return turn
  }
}

function withChat(turn: PreviewTurn, state: PreviewTurn['state'], wire: Wire): PreviewTurn {
  const calls = listIn(recordIn(recordIn(wire, 'required_action'), 'submit_tool_outputs'), 'tool_calls').map((call) => {
    const called = recordIn(call, 'function')
    return { id: textIn(call, 'id'), name: textIn(called, 'name'), input: textIn(called, 'arguments') }
  })
  const tokens = Number(recordIn(wire, 'usage').token_count ?? 0)
  return { ...turn, state, waitingFor: calls, tokens: tokens || turn.tokens, problem: textIn(recordIn(wire, 'last_error'), 'msg') }
}

type Wire = Record<string, unknown>

function parseWire(text: string): Wire {
  try {
    return toRecord(JSON.parse(text))
  } catch {
    return {}
  }
}

const toRecord = (value: unknown): Wire => (typeof value === 'object' && value !== null ? { ...value } : {})
const recordIn = (wire: Wire, name: string): Wire => toRecord(wire[name])
const listIn = (wire: Wire, name: string): Wire[] => (Array.isArray(wire[name]) ? wire[name].map(toRecord) : [])
const textIn = (wire: Wire, name: string): string => (typeof wire[name] === 'string' ? wire[name] : '')
const jsonIn = (wire: Wire, name: string): string => (typeof wire[name] === 'string' ? wire[name] : JSON.stringify(wire[name] ?? {}))
