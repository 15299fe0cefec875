import type { ContentType, MessageType } from '../conversations/message-store.ts'
import type { RunLog } from '../journal/journal.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import { createTextBuilder } from '../lib/text-builder.ts'
import type { ModelChunk } from '../models/model-adapter.ts'
import type { ChatEvent, CompletedMessage, Usage } from './chat-event.ts'

/** What a run has said so far: readers get it through the log as it comes, the rest is for the run's end. */
export interface AnswerWriter {
  /** A piece of the answer that is being written. */
  write(chunk: ModelChunk): void
  /** Completes the answer that is being written, if there is one, for the readers too. */
  finishAnswer(): CompletedMessage | undefined
  add(type: MessageType, content: string, contentType?: ContentType): void
  addUsage(usage: Usage): void
  readonly usage: Usage
  /** When the first piece of an answer came. */
  readonly firstTokenAt: number | undefined
  /** Completed messages whose event readers have; they are stored when the run ends or pauses. */
  readonly completed: CompletedMessage[]
  /** Takes the answer that is being written, as far as it came: the run ends with it. */
  takeAnswer(): CompletedMessage | undefined
}

export type AnswerWriterDeps = { log: RunLog<ChatEvent>; nextId: NextId; clock: Clock }

/** @param answerId the id of the first answer; undefined in a run that goes on and has given it already */
export function createAnswerWriter({ log, nextId, clock }: AnswerWriterDeps, answerId: string | undefined): AnswerWriter {
  const completed: CompletedMessage[] = []
  const usage = { inputTokens: 0, outputTokens: 0 }
  const text = createTextBuilder()
  const reasoning = createTextBuilder()
  // the first answer's id goes without saying: it is the run's
  let currentId = answerId
  let namedId: string | undefined
  let firstTokenAt: number | undefined

  const nameAnswer = () => {
    if (currentId !== undefined) return
    currentId = nextId()
    namedId = currentId
  }
  const takeAnswer = (): CompletedMessage | undefined => {
    if (currentId === undefined || (text.isEmpty && reasoning.isEmpty)) return undefined
    const said = { content: text.take(), reasoning: reasoning.take() }
    const answer = { id: currentId, type: 'answer', contentType: 'text', ...said, createdAt: clock() } as const
    currentId = undefined
    namedId = undefined
    return answer
  }
  const complete = (message: CompletedMessage) => {
    completed.push(message)
    log.append({ type: 'message_completed', message })
  }

  return {
    usage,
    completed,
    takeAnswer,
    get firstTokenAt() {
      return firstTokenAt
    },
    write(chunk) {
      if (chunk.type === 'tool_call') return
      firstTokenAt ??= clock()
      nameAnswer()
      if (chunk.type === 'text') text.add(chunk.text)
      else reasoning.add(chunk.text)
      const type = chunk.type === 'text' ? 'answer_delta' : 'reasoning_delta'
      log.append(namedId === undefined ? { type, text: chunk.text } : { type, text: chunk.text, messageId: namedId })
    },
    finishAnswer() {
      const answer = takeAnswer()
      if (answer) complete(answer)
      return answer
    },
    add(type, content, contentType = 'text') {
      // ids are the order of messages: an answer that begins after this one needs a later id than the run's own
      if (text.isEmpty && reasoning.isEmpty) currentId = undefined
      if (type === 'answer') firstTokenAt ??= clock()
      complete({ id: nextId(), type, content, contentType, reasoning: '', createdAt: clock() })
    },
    addUsage(more) {
      usage.inputTokens += more.inputTokens
      usage.outputTokens += more.outputTokens
    },
  }
}
