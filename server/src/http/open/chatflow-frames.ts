import type { JournalEntry } from '../../journal/journal-store.ts'
import type { WorkflowEvent, WorkflowMessage } from '../../workflows/runs/workflow-event.ts'
import type { WorkflowRun } from '../../workflows/runs/workflow-run.ts'
import type { WireStyle } from './chat-body.ts'
import { toJson } from './chat-frames.ts'
import { chatflowAt, toChatflowMessage } from './chatflow-wire.ts'
import type { ChatflowStatus } from './chatflow-wire.ts'

export type ChatflowFrameOptions = { style: WireStyle; withIds: boolean }

/** `id` says where its reader stands: ids grow, and a reader may come back with any of them. */
export type ChatflowFrame = { id: number; text: string }

/** An entry of the journal has at most two frames; what begins a turn belongs to the entry before it. */
const idOf = (seq: number, place: 0 | 1): number => 2 * seq + place + 1

/** The entry after which everything is new to a reader who has the frame with this id. */
export const entryBefore = (frameId: number): number => Math.max(0, Math.floor((frameId - 1) / 2) - 1)

/** Frames of a chat with a workflow, named and made as those of `/v3/chat`. */
export function createChatflowFrames(run: WorkflowRun, { style, withIds }: ChatflowFrameOptions) {
  let answeredSeq: number | undefined

  function frame(id: number, event: string, data: object): ChatflowFrame {
    return { id, text: `${withIds ? `id: ${id}\n` : ''}event: conversation.${event}\ndata: ${toJson(data)}\n\n` }
  }
  const chatFrame = (id: number, status: ChatflowStatus, ...event: WorkflowEvent[]): ChatflowFrame =>
    frame(id, `chat.${status}`, chatflowAt(run, status, event[0]))

  function toMessageFrames(seq: number, event: WorkflowMessage): ChatflowFrame[] {
    const part = toChatflowMessage(run, event)
    const whole = event.whole ?? (event.isLast ? event.content : undefined)
    // a card is shown when it is whole; the last part of a text may be its end alone
    const hasDelta = event.contentType !== 'card' && (event.content !== '' || whole === undefined)
    const deltas = hasDelta ? [frame(idOf(seq, 0), 'message.delta', part)] : []
    if (whole === undefined) return deltas

    // the guide's clients print whatever is an answer: they have printed the deltas
    const type = style === 'guide' && hasDelta ? undefined : part.type
    return [...deltas, frame(idOf(seq, hasDelta ? 1 : 0), 'message.completed', { ...part, content: whole, type })]
  }

  function toOwnFrames({ seq, event }: JournalEntry<WorkflowEvent>): ChatflowFrame[] {
    switch (event.type) {
      case 'message':
        return toMessageFrames(seq, event)
      case 'waiting':
        return [chatFrame(idOf(seq, 0), 'requires_action', event)]
      case 'succeeded':
        return [chatFrame(idOf(seq, 0), 'completed', event)]
      default:
        return [chatFrame(idOf(seq, 0), event.type, event)]
    }
  }

  /** What a turn begins with that comes after the entry `cursor`: the chat's first one, or one that answers a question. */
  function openTurn(cursor: number): ChatflowFrame[] {
    const begun = chatFrame(idOf(cursor, 1), 'in_progress')
    return cursor === 0 ? [chatFrame(idOf(0, 0), 'created'), begun] : [begun]
  }

  return {
    openTurn,
    toFrames(entry: JournalEntry<WorkflowEvent>): ChatflowFrame[] {
      const opening = answeredSeq === undefined ? [] : openTurn(answeredSeq)
      answeredSeq = entry.event.type === 'waiting' ? entry.seq : undefined
      return [...opening, ...toOwnFrames(entry)]
    },
  }
}
