import { expect, test } from 'vitest'
import type { ModelChunk } from '../models/model-adapter.ts'
import { createAnswerLine } from './answer-line.ts'

const piece = (messageId: string, content: string, isLast = false) => ({ messageId, content, isLast })

test('a message is passed on as it comes, and what is said meanwhile follows when it is whole', () => {
  const { answer, said } = listen()
  const line = createAnswerLine(answer)

  line.take(piece('1', 'one '))
  line.take(piece('2', 'two '))
  line.take(piece('3', 'three', true))
  line.take(piece('1', 'and one'))
  expect(said).toEqual(['one ', 'and one'])

  line.take(piece('1', '', true))
  expect(said).toEqual(['one ', 'and one', '|', 'two '])
  line.take(piece('2', 'end', true))
  expect(said).toEqual(['one ', 'and one', '|', 'two ', 'end', '|', 'three', '|'])

  line.take(piece('4', 'four', true))
  expect(said.slice(-2)).toEqual(['four', '|'])
})

/** What is written, with a bar where an answer is whole. */
function listen() {
  const said: string[] = []
  const answer = {
    write: (chunk: ModelChunk) => void (chunk.type === 'text' && said.push(chunk.text)),
    finishAnswer: () => void said.push('|'),
  }
  return { answer, said }
}
