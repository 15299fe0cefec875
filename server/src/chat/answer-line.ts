import type { AnswerWriter } from './answer-writer.ts'

/** A piece of one of several messages. */
export type MessagePiece = { messageId: string; content: string; isLast: boolean }

/**
 * Nodes may speak at the same time; readers get one answer after the other. What begins first is passed on as it comes, the others
 * follow when it is whole.
 */
export function createAnswerLine(answer: Pick<AnswerWriter, 'write' | 'finishAnswer'>): { take(piece: MessagePiece): void } {
  const line = new Map<string, { pieces: string[]; isWhole: boolean }>()

  function passOn(): void {
    for (const [messageId, message] of line) {
      for (const text of message.pieces.splice(0)) if (text !== '') answer.write({ type: 'text', text })
      if (!message.isWhole) return

      answer.finishAnswer()
      line.delete(messageId)
    }
  }

  return {
    take({ messageId, content, isLast }) {
      const message = line.get(messageId) ?? { pieces: [], isWhole: false }
      line.set(messageId, message)
      message.pieces.push(content)
      message.isWhole = isLast
      passOn()
    },
  }
}
