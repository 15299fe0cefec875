import type { ChatEvent } from '../../chat/chat-event.ts'
import type { Run } from '../../chat/run-store.ts'
import type { JournalEntry } from '../../journal/journal-store.ts'
import type { WireStyle } from './chat-body.ts'
import { chatAt, completedMessage } from './chat-wire.ts'
import { toSeconds } from './open-fields.ts'

/**
 * The bytes of a chat stream. Two lines an event (`event`, `data`) and a blank one: the official
 * Python SDK breaks on anything else, so `id:` lines are only for those who ask, or who write as
 * the guide does and resume by them.
 */
export type FrameOptions = { style: WireStyle; withIds: boolean }

export const DONE_FRAME = 'event: done\ndata: [DONE]\n\n'

/** Turns the entries of a run's journal into frames. Made once for each stream: what all deltas share is written once. */
export function createChatFrames(run: Run, { style, withIds }: FrameOptions): (entry: JournalEntry<ChatEvent>) => string {
  let answerId = run.answerId
  let deltaHead = headOfDeltas(run, answerId)
  const headFor = (messageId: string) => {
    if (messageId !== answerId) deltaHead = headOfDeltas(run, messageId)
    answerId = messageId
    return deltaHead
  }

  return ({ seq, event }) => {
    const id = withIds ? `id: ${seq}\n` : ''
    switch (event.type) {
      case 'answer_delta':
        return `${id}${headFor(event.messageId ?? run.answerId)},"content":${toJson(event.text)},"reasoning_content":""}\n\n`
      case 'reasoning_delta':
        return `${id}${headFor(event.messageId ?? run.answerId)},"content":"","reasoning_content":${toJson(event.text)}}\n\n`
      case 'message_completed':
        return `${id}event: conversation.message.completed\ndata: ${toJson(completed(run, event, style))}\n\n`
      default:
        return `${id}event: ${CHAT_EVENTS[event.type]}\ndata: ${toJson(chatAt(run, event))}\n\n`
    }
  }
}

const CHAT_EVENTS = {
  run_created: 'conversation.chat.created',
  run_started: 'conversation.chat.in_progress',
  run_requires_action: 'conversation.chat.requires_action',
  run_completed: 'conversation.chat.completed',
  run_failed: 'conversation.chat.failed',
  run_canceled: 'conversation.chat.canceled',
} as const

/** All of a delta's frame but its text, without the closing brace. */
function headOfDeltas(run: Run, messageId: string): string {
  const fields = {
    id: messageId,
    conversation_id: run.conversationId,
    bot_id: run.botId,
    chat_id: run.id,
    section_id: run.sectionId,
    role: 'assistant',
    type: 'answer',
    content_type: 'text',
    created_at: toSeconds(run.createdAt),
  }
  return `event: conversation.message.delta\ndata: ${JSON.stringify(fields).slice(0, -1)}`
}

/** The guide's clients print whatever has the type `answer`: the whole answer goes without it, or they would print it twice. */
function completed(run: Run, { message }: Extract<ChatEvent, { type: 'message_completed' }>, style: WireStyle): object {
  const wire = completedMessage(run, message)
  if (style === 'sdk' || message.type !== 'answer') return wire
  return { ...wire, type: undefined }
}

const LINE_BREAKS = /[\u0085\u2028\u2029]/g

/** JSON in which no reader sees a line end: httpx splits lines at U+0085, U+2028 and U+2029 too. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(LINE_BREAKS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
