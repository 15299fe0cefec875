import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { validatorCompiler } from './validation.ts'

/** What the value becomes, or what its sender is told. */
function check(schema: z.ZodType, data: unknown, httpPart = 'body'): unknown {
  const validate = validatorCompiler({ schema, httpPart, method: 'POST', url: '/' })
  const result: unknown = validate(data)
  if (typeof result !== 'object' || result === null) return result
  if ('error' in result && result.error instanceof Error) return result.error.message
  return 'value' in result ? result.value : result
}

const schema = z.object({
  bot_id: z.string('must be a string'),
  limit: z.coerce.number('Must be a number').max(9, 'Must be at most 9').optional(),
  messages: z.array(z.object({ content: z.string('must be a string') }, 'must be an object'), 'must be an array').optional(),
})

describe('what a sender is told', () => {
  test.each([
    ['a field that is missing, in words', {}, 'bot id is required'],
    ['no body at all', undefined, 'bot id is required'],
    ['null for a body', null, 'bot id is required'],
    ['a field of the wrong type', { bot_id: 5 }, 'bot_id: must be a string'],
    ['null where a text must be', { bot_id: null }, 'bot_id: must be a string'],
    ['a number that is too large', { bot_id: 'b', limit: 10 }, 'limit: must be at most 9'],
    ['a field in a list', { bot_id: 'b', messages: [{ content: 'a' }, { content: 1 }] }, 'messages.1.content: must be a string'],
    ['a field that is missing in a list', { bot_id: 'b', messages: [{}] }, 'messages.0.content is required'],
    ['a list that is none', { bot_id: 'b', messages: 'x' }, 'messages: must be an array'],
    ['a body that is a list', [], 'the body must be a JSON object'],
    ['a body that is a text', 'x', 'the body must be a JSON object'],
    ['a body that is a number', 7, 'the body must be a JSON object'],
  ])('%s', (...[, body, message]) => {
    expect(check(schema, body)).toBe(message)
  })

  test('of a union it is what is wrong with the side that was meant, and of many things the first', () => {
    const part = z.discriminatedUnion('type', [z.object({ type: z.literal('text'), text: z.string('must be a string') })], 'must be text')
    const content = z.object({ content: z.union([z.string().max(3, 'must be short'), z.array(part)], 'must be a string or a list') })

    expect(check(content, { content: 'long' })).toBe('content: must be short')
    expect(check(content, { content: 7 })).toBe('content: must be a string or a list')
    expect(check(content, { content: [{ type: 'text', text: 'a' }, { type: 'text', text: 1 }, {}] })).toBe(
      'content.1.text: must be a string',
    )
    expect(check(content, { content: [{ type: 'image' }] })).toBe('content.0.type: must be text')
  })

  test('the error is one of ours', () => {
    const result: unknown = validatorCompiler({ schema, httpPart: 'body', method: 'POST', url: '/' })({})
    expect(result).toEqual({ error: expect.objectContaining({ code: 'invalid_request' }) })
  })
})

describe('what is good', () => {
  test('is what the schema makes of it', () => {
    expect(check(schema, { bot_id: 'b', limit: '7', unknown: 1 })).toEqual({ bot_id: 'b', limit: 7 })
  })

  test('an empty value in a query is none, in a body it is one', () => {
    const query = z.object({ id: z.string().optional(), page: z.coerce.number().default(1) })

    expect(check(query, { id: '', page: '' }, 'querystring')).toEqual({ page: 1 })
    expect(check(z.object({ name: z.string() }), { name: '' })).toEqual({ name: '' })
    expect(check(z.object({ id: z.string() }), { id: '' }, 'params')).toBe('id is required')
  })
})
