import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { WaitingEvent } from '../../../server/src/http/console/workflow-run-wire.ts'
import { renderConsole } from '../../test/render-console.tsx'
import { ApiError } from '../lib/api-error.ts'
import { RunQuestion } from './run-question.tsx'

const event = (type: WaitingEvent['type'], data: unknown): WaitingEvent => ({
  ...{ event_id: 'e', node_id: '1', node_title: 'ask', type, data: JSON.stringify(data) },
})
const asked = (content: unknown, content_type = 'text') => event('question', { messages: [{ type: 'question', content_type, content }] })

function show(what: WaitingEvent, onAnswer?: (data: string) => Promise<unknown>) {
  const answers: string[] = []
  const answer = async (data: string) => answers.push(data)
  const view = renderConsole(<RunQuestion event={what} onAnswer={onAnswer ?? answer} />)
  return { ...view, answers }
}

test('a question is answered in words', async () => {
  const { person, answers } = show(asked('Where to?'))
  expect(screen.getByText('Where to?')).toBeTruthy()
  await person.type(screen.getByLabelText('Your answer'), 'Rome')
  await person.click(screen.getByRole('button', { name: 'Send answer' }))
  expect(answers).toEqual(['Rome'])
})

test('an option is one click', async () => {
  const { person, answers } = show(asked({ question: 'How many?', options: [{ name: 'one' }, { name: 'two' }] }, 'option'))
  await person.click(screen.getByRole('button', { name: 'two' }))
  expect(answers).toEqual(['two'])
})

test('a form gives typed values, and says which field is missing', async () => {
  const schema = [
    { name: 'city', type: 'string', required: true },
    { name: 'days', type: 'integer' },
    { name: 'tags', type: 'list', schema: { type: 'string' } },
  ]
  const { person, answers } = show(event('input', { content: JSON.stringify(schema), content_type: 'form_schema' }))
  await person.click(screen.getByRole('button', { name: 'Send answer' }))
  await screen.findByText('Enter “city”')
  await person.type(screen.getByLabelText(/^city/), 'Rome')
  await person.type(screen.getByLabelText(/^days/), '3')
  await person.click(screen.getByLabelText(/^tags/))
  await person.paste('["a", "b"')
  await person.click(screen.getByRole('button', { name: 'Send answer' }))
  await screen.findByText(/This must be valid JSON/)
  await person.click(screen.getByLabelText(/^tags/))
  await person.paste(']')
  await person.click(screen.getByRole('button', { name: 'Send answer' }))
  await expect.poll(() => answers.map((answer) => JSON.parse(answer) as unknown)).toEqual([{ city: 'Rome', days: 3, tags: ['a', 'b'] }])
})

test('an answer that is refused stays, with the reason', async () => {
  const refuse = () => Promise.reject(new ApiError({ status: 409, message: 'the event was answered already' }))
  const { person } = show(asked('Where to?'), refuse)
  await person.type(screen.getByLabelText('Your answer'), 'Rome')
  await person.click(screen.getByRole('button', { name: 'Send answer' }))
  expect((await screen.findByRole('alert')).textContent).toContain('the event was answered already')
  expect(screen.getByLabelText<HTMLTextAreaElement>('Your answer').value).toBe('Rome')
})
