import { asOwner } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import type { InputMessage } from '../conversations/conversations.ts'
import { AppError } from '../lib/app-error.ts'
import { messageText } from '../workflows/conversations/message-text.ts'
import { toChatflowArguments, toUserInput } from '../workflows/runs/chatflow-input.ts'
import { assertArguments } from '../workflows/runs/start-workflow-run.ts'
import type { SaidBefore } from '../workflows/runs/workflow-run.ts'
import type { ValueObject } from '../workflows/values/value.ts'
import { PUBLISHED } from '../workflows/workflow-catalog.ts'
import type { TranscriptMessage, TranscriptPart } from './transcript.ts'
import type { ChatWorkflows } from './workflow-part.ts'

/** What a chatflow gets to know of the chat that it answers. */
export type ChatflowQuestion = {
  text: string
  /** What was said before it in the same request. */
  earlier: SaidBefore[]
  /** For the start of the chatflow. */
  parameters: ValueObject
  /** Choices and forms that it puts are cards, in place of texts. */
  asCards: boolean
}

export type ChatflowRequest = Pick<ChatflowQuestion, 'parameters' | 'asCards'> & {
  chatflowId: string
  messages: InputMessage[]
  /** Where there are no messages. */
  transcript: TranscriptMessage[]
  /** It may be the answer to what the chatflow has asked: then nothing begins, and parameters do not matter. */
  mayBeAnswer: boolean
}

/** Throws what is wrong with it before anything of the chat is stored: `invalid_request`, `bad_parameters`, `not_published`. */
export async function draftChatflowQuestion(deps: ChatWorkflows, who: Principal, request: ChatflowRequest): Promise<ChatflowQuestion> {
  const { parameters, asCards } = request
  const read = request.messages.length > 0 ? readMessages : readTranscript
  const question = { ...(await read(deps, who, request)), parameters, asCards }
  // who may use the bot may use what it stands on
  const workflow = await deps.catalog.get(asOwner(who), request.chatflowId, PUBLISHED)
  if (!request.mayBeAnswer) assertArguments(workflow, { parameters: toChatflowArguments(parameters, question), isStrict: true })
  return question
}

type Read = Pick<ChatflowQuestion, 'text' | 'earlier'>

async function readMessages(deps: ChatWorkflows, who: Principal, { messages }: ChatflowRequest): Promise<Read> {
  const question = messages.at(-1)
  if (question?.role !== 'user') throw new AppError('invalid_request', 'additional_messages: the last message must be of the role user')
  const earlier = messages.slice(0, -1).map((message) => ({ role: message.role, content: messageText(message) }))
  return { text: await toUserInput(deps, who, question), earlier }
}

async function readTranscript(deps: ChatWorkflows, who: Principal, { transcript }: ChatflowRequest): Promise<Read> {
  const at = transcript.findLastIndex(({ role }) => role === 'user')
  const question = transcript[at]
  if (question?.role !== 'user') throw new AppError('invalid_request', 'the agent is a chatflow: send a message of the role user')

  const text = await partsText(deps, who, toParts(question.content))
  const earlier = transcript.slice(0, at).map(async (message): Promise<SaidBefore[]> => {
    if (message.role !== 'user' && message.role !== 'assistant') return []
    const content = await partsText(deps, who, toParts(message.content).filter(isShort))
    return content === '' ? [] : [{ role: message.role, content }]
  })
  return { text, earlier: (await Promise.all(earlier)).flat() }
}

const toParts = (content: string | TranscriptPart[]): TranscriptPart[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content

/** A file as a link, and not its content in one. */
const isShort = (part: TranscriptPart): boolean => !('url' in part && part.url.startsWith('data:'))

async function partsText({ fileUrl }: ChatWorkflows, who: Principal, parts: TranscriptPart[]): Promise<string> {
  const texts = parts.map(async (part) => {
    if (part.type === 'upload') return fileUrl(who, part.fileId)
    return part.type === 'text' ? part.text : part.url
  })
  return (await Promise.all(texts)).join(',')
}
