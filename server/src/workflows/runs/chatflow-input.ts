import type { Principal } from '../../accounts/principal.ts'
import type { InputMessage } from '../../conversations/conversations.ts'
import { parseContent } from '../../conversations/message-content.ts'
import type { ContentPart } from '../../conversations/message-content.ts'
import { DEFAULT_CONVERSATION } from '../conversations/app-conversations.ts'
import { fieldOf } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'

/** Where a workflow finds an uploaded file of the caller. */
export type FileUrl = (who: Principal, fileId: string) => Promise<string>

/** The text of a message; of one with files their URLs too, with commas between. */
export async function toUserInput(
  { fileUrl }: { fileUrl: FileUrl },
  who: Principal,
  { content, contentType }: Pick<InputMessage, 'content' | 'contentType'>,
): Promise<string> {
  const toText = async (part: ContentPart): Promise<string> => {
    if (part.type === 'text') return part.text
    return part.fileUrl ?? (part.fileId === undefined ? '' : fileUrl(who, part.fileId))
  }
  return (await Promise.all(parseContent(content, contentType).map(toText))).join(',')
}

const USER_INPUT = 'USER_INPUT'
export const CONVERSATION_NAME = 'CONVERSATION_NAME'

/** What the start of a chatflow gets. A conversation that the caller names counts, then the one that it is in. */
export const toChatflowArguments = (
  parameters: ValueObject,
  { text, conversationName = DEFAULT_CONVERSATION }: { text: string; conversationName?: string },
): ValueObject => ({
  ...parameters,
  [USER_INPUT]: text,
  [CONVERSATION_NAME]: fieldOf(parameters, CONVERSATION_NAME) ?? conversationName,
})
