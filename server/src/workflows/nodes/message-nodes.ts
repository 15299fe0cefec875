import type { MessageRole } from '../../conversations/message-store.ts'
import { isMessageId } from '../conversations/message-id.ts'
import type { MessagePageRequest } from '../conversations/workflow-conversations.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeResult, NodeType } from '../engine/node-type.ts'
import type { ValueObject } from '../values/value.ts'
import { planInputs, readCount, readText, requireText } from './plain-inputs.ts'

const filled = { fillsInputs: true, fillsOutputs: true, parse: planInputs }
const done = (outputs: ValueObject): NodeResult => ({ kind: 'done', outputs })

/** The id of a message that is not there. */
const NONE = '0'

export const createMessageNode: NodeType<undefined> = {
  ...{ code: '55', name: 'CreateMessage', ...filled, hasEffects: true },
  async run({ inputs, services }) {
    const role = readRole(inputs)
    const content = readText(inputs, 'content')
    const messageId = await services.conversations.createMessage(requireText(inputs, 'conversationName'), { role, content })
    const message = { messageId: messageId ?? NONE, role, contentType: 'text', content }
    return done({ isSuccess: messageId !== undefined, message })
  },
}

export const editMessageNode: NodeType<undefined> = {
  ...{ code: '56', name: 'EditMessage', ...filled, hasEffects: true },
  async run({ inputs, services }) {
    const change = { messageId: requireText(inputs, 'messageId'), content: readText(inputs, 'newContent') }
    return done({ isSuccess: await services.conversations.editMessage(requireText(inputs, 'conversationName'), change) })
  },
}

export const deleteMessageNode: NodeType<undefined> = {
  ...{ code: '57', name: 'DeleteMessage', ...filled, hasEffects: true },
  async run({ inputs, services }) {
    const messageId = requireText(inputs, 'messageId')
    return done({ isSuccess: await services.conversations.deleteMessage(requireText(inputs, 'conversationName'), messageId) })
  },
}

export const listMessagesNode: NodeType<undefined> = {
  ...{ code: '37', name: 'MessageList', ...filled },
  async run({ inputs, services }) {
    const page = readPage(inputs)
    const { messages, hasMore } = await services.conversations.listMessages(requireText(inputs, 'conversationName'), page)
    const firstId = messages[0]?.messageId ?? NONE
    return done({ messageList: messages, firstId, lastId: messages.at(-1)?.messageId ?? NONE, hasMore })
  },
}

export const messageNodes = [createMessageNode, editMessageNode, deleteMessageNode, listMessagesNode]

function readRole(inputs: ValueObject): MessageRole {
  const role = readText(inputs, 'role')
  if (role === 'user' || role === 'assistant') return role
  throw new NodeError(nodeErrors.invalidParameter, `role must be user or assistant, not ${JSON.stringify(role.slice(0, 50))}`)
}

const MAX_PAGE = 50

function readPage(inputs: ValueObject): MessagePageRequest {
  const beforeId = readCursor(inputs, 'beforeId')
  const afterId = readCursor(inputs, 'afterId')
  if (beforeId !== undefined && afterId !== undefined)
    throw new NodeError(nodeErrors.invalidParameter, 'beforeId and afterId cannot be set at the same time')
  return { limit: Math.min(readCount(inputs, 'limit') ?? MAX_PAGE, MAX_PAGE), beforeId, afterId }
}

/** `0`, which an empty page has for its ends, is no position. */
function readCursor(inputs: ValueObject, name: string): string | undefined {
  const id = readText(inputs, name)
  if (id === '' || id === NONE) return undefined
  if (!isMessageId(id))
    throw new NodeError(nodeErrors.invalidParameter, `${name} must be a message id, not ${JSON.stringify(id.slice(0, 50))}`)
  return id
}
