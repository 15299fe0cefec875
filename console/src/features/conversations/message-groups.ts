import type { Chat, Message } from '../../../../server/src/http/console/conversation-wire.ts'

export type MessageGroup = {
  key: string
  messages: Message[]
  /** The chat that the messages are of; none for what was put in by hand. */
  chat: Chat | undefined
  /** Another context than that of the group before. */
  isNewSection: boolean
}

/** Messages that follow each other and are of one chat and one section, in their order. */
export function toMessageGroups(messages: Message[], chats: Chat[]): MessageGroup[] {
  const chatsById = new Map(chats.map((chat) => [chat.id, chat]))
  const groups: MessageGroup[] = []
  for (const message of messages) {
    const group = groups.at(-1)
    const before = group?.messages.at(-1)
    if (group && before && before.chat_id === message.chat_id && before.section_id === message.section_id) {
      group.messages.push(message)
      continue
    }
    const chat = message.chat_id === null ? undefined : chatsById.get(message.chat_id)
    const isNewSection = before !== undefined && before.section_id !== message.section_id
    groups.push({ key: message.id, messages: [message], chat, isNewSection })
  }
  return groups
}
