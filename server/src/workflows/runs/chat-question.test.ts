import { describe, expect, test } from 'vitest'
import { toChatQuestion, toPlainQuestion } from './chat-question.ts'

const asking = (messages: object[]) => eventOf(2, { messages })
const eventOf = (type: number, data: object) => ({
  ...{ id: '1', nodeId: '101', nodeType: '18', nodeTitle: 'ask', path: '101' },
  ...{ type, data: JSON.stringify(data) },
})
const question = { type: 'question', content_type: 'text', content: 'Where to?' }
const choice = { type: 'question', content_type: 'option', content: { question: 'Which?', options: [{ name: 'red' }, { name: '蓝' }] } }
const form = eventOf(5, {
  content: JSON.stringify([
    { type: 'string', name: 'city', required: true },
    { type: 'integer', name: 'days' },
  ]),
})

describe('what is asked in a chat', () => {
  test('a question is its text, with and without cards: the last one of the talk', () => {
    const event = asking([question, { type: 'answer', content: 'north' }, { ...question, content: 'How far?' }])
    expect(toPlainQuestion(event)).toBe('How far?')
    expect(toChatQuestion(event)).toEqual({ text: 'How far?', contentType: 'text' })
  })

  test('a choice has its options in lines, or is a card', () => {
    const event = asking([choice])
    expect(toPlainQuestion(event)).toBe('Which?\n- red\n- 蓝')
    const card = toChatQuestion(event)
    expect(card.contentType).toBe('card')
    expect(cardInfo(card.text)).toEqual({ card_type: 'QUESTION', question_card_data: choice.content })
  })

  test('a form has its fields in lines, in the way they are answered, or is a card', () => {
    expect(toPlainQuestion(form)).toBe('city: string\ndays: integer')
    expect(cardInfo(toChatQuestion(form).text)).toEqual({
      card_type: 'INPUT',
      input_card_data: [
        { type: 'string', name: 'city' },
        { type: 'integer', name: 'days' },
      ],
    })
  })

  test('an event that says nothing asks nothing', () => {
    expect([asking([]), eventOf(5, { content: '[]' })].map(toPlainQuestion)).toEqual(['', ''])
  })
})

function cardInfo(text: string): unknown {
  const card = JSON.parse(text) as { x_properties: { workflow_card_info: string } }
  return JSON.parse(card.x_properties.workflow_card_info)
}
