import { expect, test } from 'vitest'
import { messageText } from './message-text.ts'

const textOf = (content: string) => messageText({ content, contentType: 'object_string' })

test('a text is itself, also one that looks like parts', () => {
  expect(messageText({ content: '[{"type":"text","text":"a"}]', contentType: 'text' })).toBe('[{"type":"text","text":"a"}]')
})

test('of a multimodal message come the texts, then the URLs', () => {
  const parts = [
    { type: 'file', file_url: 'https://example.com/a.pdf' },
    { type: 'text', text: '看' },
    { type: 'image', file_id: '7' },
    { type: 'image', file_url: '' },
    { type: 'text', text: 'this 🚀' },
    { type: 'text', text: null },
  ]
  expect(textOf(JSON.stringify(parts))).toBe('看,this 🚀,https://example.com/a.pdf')
  expect(textOf('[]')).toBe('')
})

test('what is no list of parts is shown as it is', () => {
  for (const content of ['', 'hello', '{"a":1}', 'null', '[{']) expect(textOf(content)).toBe(content)
  expect(textOf('[1, null, "a", [2]]')).toBe('')
})
