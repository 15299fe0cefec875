import type { NodeResult, NodeType } from '../engine/node-type.ts'
import type { ValueObject } from '../values/value.ts'
import { planInputs, readCount, requireText } from './plain-inputs.ts'

const filled = { fillsInputs: true, fillsOutputs: true, parse: planInputs }
const done = (outputs: ValueObject): NodeResult => ({ kind: 'done', outputs })

export const createConversationNode: NodeType<undefined> = {
  ...{ code: '39', name: 'CreateConversation', ...filled, hasEffects: true },
  async run({ inputs, services }) {
    const created = await services.conversations.create(requireText(inputs, 'conversationName'))
    return done({ isSuccess: true, ...created })
  },
}

export const updateConversationNode: NodeType<undefined> = {
  ...{ code: '51', name: 'ConversationUpdate', ...filled, hasEffects: true },
  async run({ inputs, services }) {
    const name = requireText(inputs, 'conversationName')
    const { conversationId, isTaken } = await services.conversations.rename(name, requireText(inputs, 'newConversationName'))
    return done({ isSuccess: !isTaken, isExisted: isTaken, conversationId })
  },
}

export const deleteConversationNode: NodeType<undefined> = {
  ...{ code: '52', name: 'ConversationDelete', ...filled, hasEffects: true },
  async run({ inputs, services }) {
    await services.conversations.delete(requireText(inputs, 'conversationName'))
    return done({ isSuccess: true })
  },
}

export const listConversationsNode: NodeType<undefined> = {
  ...{ code: '53', name: 'ConversationList', ...filled, fillsInputs: false },
  async run({ services }) {
    const listed = await services.conversations.list()
    return done({ conversationList: listed.map(({ name, conversationId }) => ({ conversationName: name, conversationId })) })
  },
}

export const conversationHistoryNode: NodeType<undefined> = {
  ...{ code: '54', name: 'ConversationHistory', ...filled },
  async run({ inputs, services }) {
    const messages = await services.conversations.history(requireText(inputs, 'conversationName'), readCount(inputs, 'rounds'))
    return done({ messageList: messages })
  },
}

export const clearConversationHistoryNode: NodeType<undefined> = {
  ...{ code: '38', name: 'ClearConversationHistory', ...filled, hasEffects: true },
  async run({ inputs, services }) {
    return done({ isSuccess: await services.conversations.clear(requireText(inputs, 'conversationName')) })
  },
}

export const conversationNodes = [
  createConversationNode,
  updateConversationNode,
  deleteConversationNode,
  listConversationsNode,
  conversationHistoryNode,
  clearConversationHistoryNode,
]
