import { expect, test } from 'vitest'
import { newTurn, withEvent } from './preview-turns.ts'

const play = (...events: [string, object][]) =>
  events.reduce((turn, [event, data]) => withEvent(turn, { event, id: undefined, data: JSON.stringify(data) }), newTurn('1', 'Hi'))

test('pieces of an answer become one text, which the whole one replaces', () => {
  const pieces = play(
    ['conversation.message.delta', { id: 'm', type: 'answer', content: 'Hel', reasoning_content: '' }],
    ['conversation.message.delta', { id: 'm', type: 'answer', content: 'lo', reasoning_content: '' }],
  )
  expect(pieces.parts).toEqual([{ kind: 'answer', id: 'm', text: 'Hello', reasoning: '' }])
  const whole = withEvent(pieces, {
    event: 'conversation.message.completed',
    id: '3',
    data: JSON.stringify({ id: 'm', type: 'answer', content: 'Hello!' }),
  })
  expect(whole.parts).toMatchObject([{ text: 'Hello!' }])
})

test('a failure says why', () => {
  const turn = play(['conversation.chat.failed', { status: 'failed', last_error: { code: 5000, msg: 'the provider refused the key' } }])
  expect(turn).toMatchObject({ state: 'failed', problem: 'the provider refused the key' })
})

test('functions of the caller are waited for', () => {
  const calls = [{ id: 'c1', type: 'function', function: { name: 'get_stock', arguments: '{"sku":1}' } }]
  const turn = play(['conversation.chat.requires_action', { required_action: { submit_tool_outputs: { tool_calls: calls } } }])
  expect(turn).toMatchObject({ state: 'waiting', waitingFor: [{ id: 'c1', name: 'get_stock', input: '{"sku":1}' }] })
})

test('calls, results and follow-ups are told apart', () => {
  const turn = play(
    ['conversation.message.completed', { id: '1', type: 'function_call', content: '{"id":"c","name":"clock","arguments":{"zone":"UTC"}}' }],
    ['conversation.message.completed', { id: '2', type: 'tool_response', content: '12:30' }],
    ['conversation.message.completed', { id: '3', type: 'follow_up', content: 'And in Rome?' }],
    ['conversation.chat.completed', { usage: { token_count: 12 } }],
  )
  expect(turn.parts).toEqual([
    { kind: 'call', id: '1', name: 'clock', input: '{"zone":"UTC"}' },
    { kind: 'result', id: '2', text: '12:30' },
  ])
  expect(turn).toMatchObject({ followUps: ['And in Rome?'], state: 'completed', tokens: 12 })
})

test('what cannot be read changes nothing', () => {
  expect(withEvent(newTurn('1', 'Hi'), { event: 'conversation.message.completed', id: '1', data: '[DONE' })).toEqual(newTurn('1', 'Hi'))
})
