import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { botConfigSchema } from '../bots/bot-config.ts'
import type { Message } from '../conversations/message-store.ts'
import { AppError } from '../lib/app-error.ts'
import { renderPrompt, toModelMessages } from './prompt.ts'

describe('the prompt', () => {
  test.each([
    ['a value of the caller', 'Hi {{name}}!', { name: 'Ada' }, 'Hi Ada!'],
    ['the default where none is given', '{{city}}, {{city}}', {}, '北京, 北京'],
    ['a value rather than the default, also an empty one', '[{{city}}]', { city: '' }, '[]'],
    ['a value that nobody declared', '{{extra}}', { extra: '1' }, '1'],
    ['a name that nobody knows stays as it is', '{{nobody}} {{ nobody }}', {}, '{{nobody}} {{ nobody }}'],
    ['blanks around the name', '{{ name }}{{\nname\t}}', { name: 'x' }, 'xx'],
    ['names of any script, with digits, dots and dashes', '{{用户名}} {{user.name-2}}', { 用户名: '小明', 'user.name-2': 'Li' }, '小明 Li'],
    ['what is no placeholder', '{name} {{}} {{1a}} {{a b}} {{{{', { name: 'x', '1a': 'x' }, '{name} {{}} {{1a}} {{a b}} {{{{'],
    ['values with signs of patterns', '{{name}}', { name: "$& $1 $$ $` $' \\n" }, "$& $1 $$ $` $' \\n"],
    ['a value that looks like a placeholder is not filled in again', '{{name}}', { name: '{{city}}' }, '{{city}}'],
    ['names that every object has', '{{constructor}} {{__proto__}} {{toString}}', {}, '{{constructor}} {{__proto__}} {{toString}}'],
  ])('%s', (...[, prompt, given, rendered]) => {
    expect(renderPrompt(botWith(prompt), given as Record<string, string>)).toBe(rendered)
  })

  test('nothing but the placeholder changes, whatever its value is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(renderPrompt(botWith('a{{name}}b'), { name: value })).toBe(`a${value}b`)
      }),
    )
  })

  test('a prompt of nothing but braces is done at once', () => {
    const startedAt = performance.now()
    renderPrompt(botWith('{{ '.repeat(60_000)), {})
    renderPrompt(botWith(`{{${' '.repeat(100_000)}`), {})
    renderPrompt(botWith(`{{${'a'.repeat(100_000)}`), {})

    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

describe('messages for the model', () => {
  test('text stays text, parts become parts, the bot’s own words are its own', async () => {
    const parts = [
      { type: 'text', text: 'look' },
      { type: 'image', file_id: '55' },
      { type: 'image', file_url: 'https://example.com/a.png' },
      { type: 'file', file_url: 'https://example.com/files/%E6%96%87.pdf?x=1' },
      { type: 'audio', file_id: '55' },
    ]
    const messages = [message({ content: '你好' }), withParts(parts), message({ role: 'assistant', type: 'answer', content: 'ok' })]

    expect(await toModelMessages(messages, readFile, { lenient: false })).toEqual([
      { role: 'user', content: '你好' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image', url: 'data:,55' },
          { type: 'image', url: 'https://example.com/a.png' },
          { type: 'file', url: 'https://example.com/files/%E6%96%87.pdf?x=1', name: '文.pdf', mime: '' },
        ],
      },
      { role: 'assistant', content: 'ok' },
    ])
  })

  test('a file that is gone refuses a new message and is left out of an old one', async () => {
    const messages = [
      withParts([
        { type: 'text', text: 'and this?' },
        { type: 'image', file_id: '404' },
      ]),
    ]

    await expect(toModelMessages(messages, readFile, { lenient: false })).rejects.toMatchObject({ code: 'not_found' })
    expect(await toModelMessages(messages, readFile, { lenient: true })).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'and this?' }] },
    ])
  })

  test('a bug while a file is read is not left out', async () => {
    const broken = () => Promise.reject(new TypeError('a bug'))
    await expect(toModelMessages([withParts([{ type: 'image', file_id: '1' }])], broken, { lenient: true })).rejects.toThrow('a bug')
  })

  test.each([
    ['https://example.com/', 'file'],
    ['https://example.com', 'file'],
    ['https://example.com/a/', 'file'],
    ['https://example.com/100%.pdf', '100%.pdf'],
    ['https://example.com/%FF%FE', '%FF%FE'],
    ['https://example.com/a%2Fb.txt', 'a/b.txt'],
  ])('the file at %s has a name', async (...[url, name]) => {
    const [answer] = await toModelMessages([withParts([{ type: 'file', file_url: url }])], readFile, { lenient: false })
    expect(answer?.content).toEqual([{ type: 'file', url, name, mime: '' }])
  })
})

const botWith = (prompt: string) => botConfigSchema.parse({ prompt, variables: [{ name: 'city', default: '北京' }] })

function message(fields: Partial<Message>): Message {
  return {
    ...{ id: '1', conversationId: '1', sectionId: '1', runId: '1', botId: '1', role: 'user', type: 'question', content: '' },
    ...{ contentType: 'text', reasoning: '', metaData: {}, createdAt: 1, updatedAt: 1 },
    ...fields,
  }
}

const withParts = (parts: object[]) => message({ content: JSON.stringify(parts), contentType: 'object_string' })

async function readFile(fileId: string) {
  if (fileId === '404') throw new AppError('not_found', 'there is no such file')
  return { type: 'image' as const, url: `data:,${fileId}` }
}
