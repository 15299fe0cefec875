import type { ModelContentPart, ModelMessage } from '../models/model-adapter.ts'
import type { ReadFile } from './prompt.ts'

/** A conversation that its caller keeps and sends whole each time: what the model is to see after the bot's prompt. */
export type TranscriptMessage = Exclude<ModelMessage, { role: 'user' }> | { role: 'user'; content: string | TranscriptPart[] }
export type TranscriptPart = ModelContentPart | { type: 'upload'; fileId: string }

/** Puts uploaded files in their places; throws `not_found` for one that the caller does not have. */
export function readTranscript(messages: TranscriptMessage[], readFile: ReadFile): Promise<ModelMessage[]> {
  return Promise.all(
    messages.map(async (message): Promise<ModelMessage> => {
      if (message.role !== 'user') return message
      if (typeof message.content === 'string') return { role: 'user', content: message.content }
      const parts = message.content.map(async (part) => (part.type === 'upload' ? readFile(part.fileId) : part))
      return { role: 'user', content: await Promise.all(parts) }
    }),
  )
}
