import { describe, expect, test } from 'vitest'
import { parseContent } from './message-content.ts'

const object = (parts: unknown) => parseContent(JSON.stringify(parts), 'object_string')
const part = (type: string, file: { fileId?: string; fileUrl?: string }) => ({ type, fileId: undefined, fileUrl: undefined, ...file })

describe('content', () => {
  test('of type text is text, whatever it looks like', () => {
    expect(parseContent('[{"type":"text"}]', 'text')).toEqual([{ type: 'text', text: '[{"type":"text"}]' }])
    expect(parseContent('{"card":1}', 'card')).toEqual([{ type: 'text', text: '{"card":1}' }])
  })

  test('of type object_string is parts; fields that the SDKs send as null are not there', () => {
    const parts = [
      { type: 'text', text: '看', file_id: null, file_url: null, name: null },
      { type: 'image', text: null, file_id: '55', file_url: null, size: null },
      { type: 'file', file_id: 1234567, file_url: '' },
      { type: 'audio', file_id: '', file_url: 'https://example.com/a.mp3' },
      { type: 'image', file_id: '1234567890123456789', file_url: 'http://example.com/a.png' },
    ]

    expect(object(parts)).toEqual([
      { type: 'text', text: '看' },
      part('image', { fileId: '55' }),
      part('file', { fileId: '1234567' }),
      part('audio', { fileUrl: 'https://example.com/a.mp3' }),
      part('image', { fileId: '1234567890123456789', fileUrl: 'http://example.com/a.png' }),
    ])
  })

  test('text parts of nothing are left out', () => {
    expect(
      object([
        { type: 'text', text: '' },
        { type: 'text', text: null },
        { type: 'text', text: 'x' },
      ]),
    ).toEqual([{ type: 'text', text: 'x' }])
  })

  test.each([[[]], [[{ type: 'text' }]], [[{ type: 'audio', file_id: '1' }]]])('%j says nothing that a model could answer', (parts) => {
    expect(() => object(parts)).toThrow('there must be a text, an image or a file')
  })

  test.each([
    ['no JSON', '[{', 'content: object_string must be a JSON array'],
    ['no array', '{"type":"text","text":"x"}', 'must be a JSON array of text, image, file and audio parts'],
    ['a type nobody knows', '[{"type":"video"}]', '0.type'],
    ['a part that is no object', '["text"]', '(0: '],
    ['a text that is none', '[{"type":"text","text":1}]', '0.text'],
    ['a file without id and URL', '[{"type":"image"}]', 'a part of type image needs file_id or file_url'],
    ['an id that is none', '[{"type":"image","file_id":"../etc"}]', '0.file_id'],
    ['a URL of another kind', '[{"type":"image","file_url":"file:///etc/passwd"}]', '0.file_url'],
    ['a URL that is data', '[{"type":"image","file_url":"data:,x"}]', '0.file_url'],
    ['too many parts', JSON.stringify(Array(101).fill({ type: 'text', text: 'x' })), 'must be a JSON array'],
  ])('%s is refused with its place', (...[, content, message]) => {
    const refused = expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(message) })
    expect(() => parseContent(content, 'object_string')).toThrow(refused)
  })
})
