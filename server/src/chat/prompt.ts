import type { BotConfig } from '../bots/bot-config.ts'
import type { Message } from '../conversations/message-store.ts'
import { AppError } from '../lib/app-error.ts'
import type { ModelContentPart, ModelMessage } from '../models/model-adapter.ts'
import { parseContent } from '../conversations/message-content.ts'
import type { ContentPart } from '../conversations/message-content.ts'

/** Reads an uploaded file of the caller for a model; throws `not_found` when there is none. */
export type ReadFile = (fileId: string) => Promise<ModelContentPart>

/** The bot's prompt with `{{name}}` filled in: what the caller gives, else the variable's default. Unknown names stay as they are. */
export function renderPrompt({ prompt, variables }: Pick<BotConfig, 'prompt' | 'variables'>, given: Record<string, string>): string {
  const values = new Map([...variables.map((variable) => [variable.name, variable.default] as const), ...Object.entries(given)])
  return prompt.replace(/\{\{\s*([\p{L}_][\p{L}\p{N}_.-]*)\s*\}\}/gu, (placeholder, name: string) => values.get(name) ?? placeholder)
}

/** @param lenient a file that is gone is left out instead of refused: right for earlier messages, wrong for new ones */
export async function toModelMessages(messages: Message[], readFile: ReadFile, { lenient }: { lenient: boolean }): Promise<ModelMessage[]> {
  return Promise.all(messages.map((message) => (lenient ? toReadableMessage(message, readFile) : toModelMessage(message, readFile))))
}

/** What cannot be read any more does not stop the chats that come after it. */
async function toReadableMessage(message: Message, readFile: ReadFile): Promise<ModelMessage> {
  try {
    return await toModelMessage(message, leavingOut(readFile))
  } catch (cause) {
    if (cause instanceof AppError) return { role: 'user', content: UNREADABLE }
    throw cause
  }
}

const UNREADABLE = '(a message whose content cannot be shown)'

async function toModelMessage(
  message: Message,
  readFile: (fileId: string) => Promise<ModelContentPart | undefined>,
): Promise<ModelMessage> {
  if (message.role === 'assistant') return { role: 'assistant', content: message.content }
  if (message.contentType !== 'object_string') return { role: 'user', content: message.content }

  const parts: ModelContentPart[] = []
  for (const part of parseContent(message.content, message.contentType)) {
    const converted = await toModelPart(part, readFile)
    if (converted) parts.push(converted)
  }
  // a provider refuses a message without content; what was left out is said
  if (parts.length === 0) return { role: 'user', content: UNREADABLE }
  return { role: 'user', content: parts }
}

async function toModelPart(
  part: ContentPart,
  readFile: (fileId: string) => Promise<ModelContentPart | undefined>,
): Promise<ModelContentPart | undefined> {
  if (part.type === 'text') return part
  // no protocol served here takes speech: the text beside it is the question
  if (part.type === 'audio') return undefined
  if (part.fileUrl !== undefined)
    return part.type === 'image'
      ? { type: 'image', url: part.fileUrl }
      : { type: 'file', url: part.fileUrl, name: nameOf(part.fileUrl), mime: '' }
  return part.fileId === undefined ? undefined : readFile(part.fileId)
}

function leavingOut(readFile: ReadFile) {
  return async (fileId: string) => {
    try {
      return await readFile(fileId)
    } catch (cause) {
      if (cause instanceof AppError) return undefined
      throw cause
    }
  }
}

function nameOf(url: string): string {
  const name = new URL(url).pathname.split('/').at(-1) || 'file'
  try {
    return decodeURIComponent(name)
  } catch {
    // not every % is an escape
    return name
  }
}
