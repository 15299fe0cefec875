import type { WaitingEvent } from '../engine/waiting-event.ts'
import type { Value, ValueObject } from '../values/value.ts'

/** What a question node has asked so far. `choices` are the options to choose from; none for a free answer. */
export type Asked = { question: string; choices: string[] }

export type QuestionState = {
  asked: Asked[]
  /** One for each question, but for the last one while it waits. */
  answers: string[]
  /** Of the question that has no answer yet. */
  event: WaitingEvent | null
}

export function parseQuestionState(saved: Value | undefined): QuestionState {
  return structuredClone((saved ?? { asked: [], answers: [], event: null }) as QuestionState)
}

/** The whole talk so far, as JSON text: what callers see of the event. */
export function toEventData(nodeId: string, { asked, answers }: Pick<QuestionState, 'asked' | 'answers'>): string {
  const messages = asked.flatMap(({ question, choices }, round) => {
    const isChoice = choices.length > 0
    const content = isChoice ? { options: choices.map((name) => ({ name })), question } : question
    const asking = { type: 'question', content_type: isChoice ? 'option' : 'text', content, id: `${nodeId}_${round * 2}` }
    const answer = answers[round]
    return answer === undefined
      ? [asking]
      : [asking, { type: 'answer', content_type: 'text', content: answer, id: `${nodeId}_${round * 2 + 1}` }]
  })
  return JSON.stringify({ messages })
}

/** Both lists as outputs. Their names cannot be those of declared ones. */
export function toTalk({ asked, answers }: QuestionState): ValueObject {
  return { $questions: asked, $answers: answers }
}
