import { hints, kind, listVariable, reference, titled, variable, words } from './node-kind.ts'
import type { NodeKind } from './node-kind.ts'

const success = variable('isSuccess', 'boolean')
const message = ['messageId', 'role', 'contentType', 'content'].map((name) => variable(name))

type Sketch = { code: string; en: string; zh: string; does: [string, string]; inputs: string[]; outputs: object[] }

/** Conversations of an app and what is said in them: all they know are their inputs. */
const sketches: Sketch[] = [
  {
    ...{ code: '39', en: 'Create conversation', zh: '创建会话', does: ['Makes a conversation of a name', '创建指定名称的会话'] },
    ...{ inputs: ['conversationName'], outputs: [success, variable('conversationId'), variable('isExisted', 'boolean')] },
  },
  {
    ...{ code: '51', en: 'Rename conversation', zh: '修改会话', does: ['Gives a conversation another name', '修改会话名称'] },
    inputs: ['conversationName', 'newConversationName'],
    outputs: [success, variable('isExisted', 'boolean'), variable('conversationId')],
  },
  {
    ...{ code: '52', en: 'Delete conversation', zh: '删除会话', does: ['Deletes a conversation', '删除会话'] },
    ...{ inputs: ['conversationName'], outputs: [success] },
  },
  {
    ...{ code: '53', en: 'List conversations', zh: '查询会话列表', does: ['Lists the conversations of the user', '查询用户的会话列表'] },
    inputs: [],
    outputs: [listVariable('conversationList', [variable('conversationName'), variable('conversationId')])],
  },
  {
    ...{
      code: '54',
      en: 'Conversation history',
      zh: '查询会话历史',
      does: ['Reads the last rounds of a conversation', '查询会话的历史消息'],
    },
    inputs: ['conversationName', 'rounds'],
    outputs: [listVariable('messageList', [variable('role'), variable('content')])],
  },
  {
    ...{ code: '38', en: 'Clear conversation', zh: '清除会话历史', does: ['Forgets what was said', '清除会话历史'] },
    ...{ inputs: ['conversationName'], outputs: [success] },
  },
  {
    ...{ code: '55', en: 'Create message', zh: '创建消息', does: ['Puts a message into a conversation', '在会话中创建消息'] },
    inputs: ['conversationName', 'role', 'content'],
    outputs: [success, { name: 'message', type: 'object', schema: message }],
  },
  {
    ...{ code: '56', en: 'Edit message', zh: '修改消息', does: ['Changes a message', '修改消息内容'] },
    ...{ inputs: ['conversationName', 'messageId', 'newContent'], outputs: [success] },
  },
  {
    ...{ code: '57', en: 'Delete message', zh: '删除消息', does: ['Deletes a message', '删除消息'] },
    ...{ inputs: ['conversationName', 'messageId'], outputs: [success] },
  },
  {
    ...{ code: '37', en: 'List messages', zh: '查询消息列表', does: ['Lists messages of a conversation', '查询会话中的消息'] },
    inputs: ['conversationName', 'limit', 'beforeId', 'afterId'],
    outputs: [listVariable('messageList', message), variable('firstId'), variable('lastId'), variable('hasMore', 'boolean')],
  },
]

/** Inputs that may be left out, and then are not in a new node: an empty reference would be an issue. */
const OPTIONAL = ['rounds', 'limit', 'beforeId', 'afterId']

export const chatKinds: NodeKind[] = sketches.map(({ code, en, zh, does, inputs, outputs }) =>
  kind({
    ...{ code, group: 'chat', label: words(en, zh), description: words(...does), settings: [hints.inputs] },
    initial: titled(en, {
      inputs: { inputParameters: inputs.filter((name) => !OPTIONAL.includes(name)).map((name) => ({ name, input: reference() })) },
      outputs,
    }),
  }),
)
