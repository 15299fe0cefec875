import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJsonBody } from './json-body.ts'

const parse = (text: string) => parseJsonBody(Buffer.from(text))
const refused = (message: string) => expect.objectContaining({ code: 'invalid_request', message })

describe('a JSON body', () => {
  test('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8, stringUnit: 'binary' }), (text) => {
        fc.pre(!/\d{16}/.test(text))
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('or nothing, when there is nothing in it', () => {
    expect([parse(''), parse(' \n\t')]).toEqual([undefined, undefined])
  })

  test('may begin with a byte order mark and hold any script, escaped or not', () => {
    expect(parse('\ufeff{"问":"\\u4f60好🚀\\ud83d\\ude80"}')).toEqual({ 问: '你好🚀🚀' })
  })

  test('half of a surrogate pair is a character like any other', () => {
    expect(parse('{"a":"\\ud83d"}')).toEqual({ a: '\ud83d' })
  })

  test('names that every object has are names', () => {
    const body = parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}')

    expect(Object.keys(Object(body))).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Reflect.get(Object({}), 'admin')).toBeUndefined()
  })

  test.each(['{', '{"a":1,}', "{'a':1}", '[1 2]', 'NaN', '{"a":01}', '"\t"', 'undefined', '{"a":"\\x"}', '1 2', '{"a":1}{'])(
    'that is broken is refused: %s',
    (text) => expect(() => parse(text)).toThrow(refused('the body is not valid JSON')),
  )

  test.each([[0xff], [0x7b, 0x22, 0xc3, 0x22], [0xed, 0xa0, 0x80], [0xc0, 0xaf]])(
    'with bytes that are no UTF-8 is refused: %s',
    (...bytes) => {
      expect(() => parseJsonBody(Buffer.from(bytes))).toThrow(refused('the body is not valid UTF-8'))
    },
  )
})

describe('numbers', () => {
  test('are exact: what JavaScript cannot hold comes as its digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (id) => {
        const [value] = parse(`[${id}]`) as [number | string]
        expect(BigInt(value)).toBe(id)
        expect(typeof value).toBe(Number.isSafeInteger(Number(id)) ? 'number' : 'string')
      }),
    )
  })

  test('in every place of the body', () => {
    expect(
      parse('{"bot_id":7373737373737373737,"list":[1234567890123456789,{"x":9007199254740993}],"text":"1234567890123456789"}'),
    ).toEqual({
      bot_id: '7373737373737373737',
      list: ['1234567890123456789', { x: '9007199254740993' }],
      text: '1234567890123456789',
    })
  })

  test('that are no whole numbers stay what they are', () => {
    expect(parse('[0.12345678901234567, 1e21, 1.5e300, -0, 9007199254740991, 12345678901234567890.5]')).toEqual([
      ...[0.12345678901234567, 1e21, 1.5e300, -0, 9007199254740991, 12345678901234567890.5],
    ])
  })
})

describe('depth', () => {
  const nested = (levels: number, open = '[', close = ']') => open.repeat(levels) + close.repeat(levels)

  test('of 64 levels is fine, of 65 refused', () => {
    const tooDeep = refused('the body is nested deeper than 64 levels')

    expect(() => parse(nested(64))).not.toThrow()
    expect(() => parse(nested(65))).toThrow(tooDeep)
    expect(() => parse(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`)).toThrow(tooDeep)
    expect(() => parse(nested(1_000_000))).toThrow(tooDeep)
    // also when it never ends
    expect(() => parse('['.repeat(1_000_000))).toThrow(tooDeep)
  })

  test('is not what stands in texts', () => {
    for (const text of ['['.repeat(100), `\\"${'['.repeat(100)}`, '\\\\', `${'{'.repeat(70)}\\\\\\"${'{'.repeat(70)}`])
      expect(parse(`{"a":"${text}","b":"${text}"}`)).toHaveProperty('b')
  })

  test('is the depth of the value, whatever its texts are', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0
    const texts = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', '}', ']', 'a', '\n') })
    fc.assert(
      fc.property(texts, texts, fc.integer({ min: 55, max: 70 }), (name, text, levels) => {
        let value: unknown = text
        for (let level = 0; level < levels; level++) value = level % 2 ? { [name]: value, x: text } : [text, value]
        const json = JSON.stringify(value)
        if (depthOf(value) > 64) expect(() => parse(json)).toThrow('nested deeper')
        else expect(parse(json)).toEqual(value)
      }),
    )
  })
})

test.each([
  ['backslashes', '\\\\'],
  ['quotes', '\\"'],
  ['brackets', '['],
  ['digits', '7'],
  ['empty texts', '","'],
])('4 MB of %s take no more time than any 4 MB', (_what, piece) => {
  const body = Buffer.from(`["${piece.repeat(4_000_000 / piece.length)}"]`)
  const startedAt = performance.now()
  parseJsonBody(body)

  expect(performance.now() - startedAt).toBeLessThan(2_000)
})
