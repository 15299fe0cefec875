import { expect } from 'vitest'

/** What the wire's chats and messages must look like: every field, with the values that a test knows. */

export const SECONDS = expect.toSatisfy(
  (value: unknown) => Number.isInteger(value) && Math.abs(Number(value) - Date.now() / 1000) < 120,
  'is now in seconds',
)
export const ID = expect.stringMatching(/^\d{14,16}$/)
export const NO_ERROR = { code: 0, msg: '' }
export const NO_USAGE = { token_count: 0, input_count: 0, output_count: 0 }

export const anyChat = (known: object = {}) => ({
  id: ID,
  conversation_id: ID,
  bot_id: '123456',
  section_id: ID,
  status: 'completed',
  created_at: SECONDS,
  completed_at: SECONDS,
  meta_data: {},
  last_error: NO_ERROR,
  usage: expect.objectContaining({ token_count: expect.any(Number) }),
  ...known,
})

/** Before its end. */
export const anyLiveChat = (known: object = {}) => {
  const { completed_at: _, ...chat } = anyChat()
  return { ...chat, status: 'in_progress', usage: NO_USAGE, ...known }
}

export const anyFailedChat = (known: object = {}) => ({ ...anyLiveChat(), status: 'failed', failed_at: SECONDS, ...known })

export const anyMessage = (known: object = {}) => ({
  id: ID,
  conversation_id: ID,
  bot_id: '123456',
  chat_id: ID,
  section_id: ID,
  role: 'assistant',
  type: 'answer',
  content: 'Hello there',
  content_type: 'text',
  reasoning_content: '',
  meta_data: {},
  created_at: SECONDS,
  updated_at: SECONDS,
  ...known,
})
