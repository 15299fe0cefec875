import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { parseTemplate, renderPart, renderTemplate } from './template.ts'
import type { RenderOptions } from './template.ts'
import { parseValue } from './value.ts'
import type { ValueObject } from './value.ts'

const render = (text: string, values: ValueObject, options?: RenderOptions) => renderTemplate(parseTemplate(text), values, options)

function codeOf(work: () => unknown): number | undefined {
  try {
    work()
    return undefined
  } catch (cause) {
    if (cause instanceof NodeError) return cause.code
    throw cause
  }
}

test('fields and elements are found in any depth', () => {
  const values = { String1: true, String2: { f1: 1 }, String3: { f2: ['', 'a'] }, m: [[1, [2]], [3]] }
  expect(render('{{String1}}_{{String2.f1}}_{{String3.f2[1]}}', values)).toBe('true_1_a')
  expect(render('{{m[0][1][0]}}{{m[1]}}', values)).toBe('2[3]')
})

test.each<[string, ValueObject[string], string]>([
  ['a text raw', '<"\n">', '<"\n">'],
  ['a whole number', 100, '100'],
  ['a large number as it is written', 1e21, '1e+21'],
  ['64 bits', 9007199254740993n, '9007199254740993'],
  ['a boolean', false, 'false'],
  ['null as nothing', null, ''],
  ['an object with sorted keys', { b: [1, { d: 1, c: '<&>' }], a: 'ä' }, '{"a":"ä","b":[1,{"c":"<&>","d":1}]}'],
  ['an empty list', [], '[]'],
])('prints %s', (_what, value, expected) => {
  expect(render('>{{v}}<', { v: value })).toBe(`>${expected}<`)
})

test('blanks before a name are dropped, blanks behind it belong to it', () => {
  expect(render('{{ a}}{{\n\ta}}', { a: 1 })).toBe('11')
  expect(render('{{ a }}|{{a }}', { a: 1 })).toBe('{{a }}|{{a }}')
  expect(render('{{a }}', { 'a ': 1 })).toBe('1')
})

test.each([
  ['{{unknown}}', '{{unknown}}'],
  ['{{  unknown.x[0]}}', '{{unknown.x[0]}}'],
  ['{{o.x}} {{o.a.x}} {{o[0]}} {{o..a}} {{.o}}', '{{o.x}} {{o.a.x}} {{o[0]}} {{o..a}} {{.o}}'],
  ['{{n.x}}', '{{n.x}}'],
  ['{{n.x[0]}}', '{{n.x[0]}}'],
  ['{{t[0]}} {{t.length}}', '{{t[0]}} {{t.length}}'],
  ['{{l.length}}', '{{l.length}}'],
  ['{{l[-1]}}', '{{l[-1]}}'],
  ['{{[0]}}', '{{[0]}}'],
])('a placeholder without a value stays: %s', (text, expected) => {
  expect(render(text, { o: { a: 'x' }, n: null, t: 'text', l: [1] })).toBe(expected)
})

test('an index that is none is printed, and the placeholder again', () => {
  expect(render('{{l[y]}}', { l: [1] })).toBe('l[y]{{l[y]}}')
  expect(render('<{{ l[0]x }}>', { l: [1] })).toBe('<l[0]x {{ l[0]x }}>')
  for (const key of ['l[', 'l[]', 'l[1', 'l[ 1]', 'l[1.5]', 'l]0[']) expect(render(`{{${key}}}`, { l: [1] })).toContain(`{{${key}}}`)
})

test('an element that is not there is an error', () => {
  expect(codeOf(() => render('{{l[2]}}', { l: [1, 2] }))).toBe(nodeErrors.templateIndex)
  expect(codeOf(() => render('{{o.l[0]}}', { o: { l: [] } }))).toBe(nodeErrors.templateIndex)
  expect(codeOf(() => render('{{l[999999999999]}}', { l: [1, 2] }))).toBe(nodeErrors.templateIndex)
  expect(codeOf(() => render('{{n[0]}}', { n: null }))).toBe(nodeErrors.nullIndex)
  expect(codeOf(() => render('{{l[0][0]}}', { l: [null] }))).toBe(nodeErrors.nullIndex)
  expect(() => render('{{o.l[3]}}', { o: { l: [1] } })).toThrow('the index 3 is out of range: o.l has 1 elements')
})

test('what was skipped prints nothing', () => {
  const options = { isSkipped: (root: string) => root === 'a' }
  expect(render('[{{a}}{{a.b}}{{c}}{{unknown}}]', { a: '', c: 'c' }, options)).toBe('[c{{unknown}}]')
})

test.each([
  ['{{}}', '{{}}'],
  ['{{ }}', '{{ }}'],
  ['{{{a}}', '{{{a}}'],
  ['{{{a}}}', '{{{a}}}'],
  ['{ {a} }', '{ {a} }'],
  ['{{a}', '{{a}'],
  ['{{a} }{{a}}', '{{a} }A'],
  ['{{}{{a}}', '{{}A'],
  ['{{a {{b}}', '{{a {{b}}'],
  ['{{a}}}}', 'A}}'],
  ['{{', '{{'],
  ['}}', '}}'],
  ['', ''],
])('braces: %s', (text, expected) => {
  expect(render(text, { a: 'A', b: 'B' })).toBe(expected)
})

test('values are not templates', () => {
  expect(render('{{a}}', { a: '{{b}}', b: 'B' })).toBe('{{b}}')
})

test('the parts tell which input a placeholder is', () => {
  expect(parseTemplate('x {{ a}}{{b.c[1].d}}').parts).toEqual([
    { kind: 'text', text: 'x ' },
    { kind: 'placeholder', key: 'a', root: 'a', path: [] },
    { kind: 'placeholder', key: 'b.c[1].d', root: 'b', path: ['c', 1, 'd'] },
  ])
  expect(parseTemplate('{{a[0]}}').parts).toEqual([{ kind: 'placeholder', key: 'a[0]', root: 'a', path: [0] }])
})

test('whoever renders may print in another way', () => {
  expect(render('{{a}}{{b}}', { a: true, b: null }, { print: (value) => (value === null ? 'NULL' : '1') })).toBe('1NULL')
})

test('names of prototypes are names like others', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'o.constructor', 'o.__proto__.x'])
    expect(render(`{{${name}}}`, { o: {} })).toBe(`{{${name}}}`)
  expect(render('{{o.__proto__.constructor}}', { o: parseValue('{"__proto__":{"constructor":"own"}}') })).toBe('own')
})

describe('properties', () => {
  const pieces = fc.array(fc.constantFrom('{', '}', '{{', '}}', 'a', '.', '[', '0', ']', ' ', '\n', 'ä'), { maxLength: 40 })

  test('a text without placeholders is what it was', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => render(text.replaceAll('}}', '}'), {}) === text.replaceAll('}}', '}')))
  })

  test('placeholders are where the regular expression of the original finds them', () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const text = list.join('')
        const expected = [...text.matchAll(/\{\{[\t\n\f\r ]*([^}]+)[\t\n\f\r ]*\}\}/g)].map(([whole, key = '']) => ({ whole, key }))
        // without values each stays, without the blanks before its key; what looks like an index and is none comes twice
        const isMalformed = (key: string) => key.split('.').some((each) => each.includes('[') && !/^[^[]*(\[[+-]?\d+\])+$/.test(each))
        let rest = text
        let rendered = ''
        for (const { whole, key } of expected) {
          const at = rest.indexOf(whole)
          rendered += rest.slice(0, at) + (isMalformed(key) ? key + whole : `{{${key}}}`)
          rest = rest.slice(at + whole.length)
        }
        expect(render(text, {})).toBe(rendered + rest)
      }),
      { numRuns: 5_000 },
    )
  })

  test('rendering part by part gives the whole', () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const template = parseTemplate(list.join(''))
        const values = { a: [['x']], 0: 'zero' }
        const whole = codeOf(() => renderTemplate(template, values)) === undefined ? renderTemplate(template, values) : undefined
        if (whole !== undefined) expect(template.parts.map((part) => renderPart(part, values)).join('')).toBe(whole)
      }),
    )
  })
})

describe('size', () => {
  test('templates of hostile size are read in linear time', () => {
    const started = performance.now()
    const size = 1_000_000
    for (const text of [
      '{'.repeat(size),
      '{{'.repeat(size) + '}',
      '{{ '.repeat(size),
      '{{}'.repeat(size),
      '{{a} '.repeat(size),
      ' '.repeat(size),
    ]) {
      expect(render(text, { a: 1 })).toBe(text)
    }
    expect(render('{{' + ' '.repeat(size) + 'a}}', { a: 1 })).toBe('1')
    expect(render('{{' + 'a.'.repeat(size / 2) + '}}', { a: 1 })).toHaveLength(size + 4)
    expect(render('{{' + 'a[0]'.repeat(size / 4) + '}}', { a: 1 })).toHaveLength(size * 2 + 4)
    expect(performance.now() - started).toBeLessThan(15_000)
  })

  test('a hundred thousand placeholders are rendered in linear time', () => {
    const started = performance.now()
    expect(render('{{o.a[1]}},'.repeat(100_000), { o: { a: [1, 'x'] } })).toBe('x,'.repeat(100_000))
    expect(performance.now() - started).toBeLessThan(15_000)
  })

  test('a text that grows without measure is an error', () => {
    const large = 'x'.repeat(1_000_000)
    expect(() => render('{{v}}'.repeat(100_000), { v: large })).toThrow('the text is longer than 5000000 characters')
  })
})
