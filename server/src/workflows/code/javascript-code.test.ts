import { describe, expect, test } from 'vitest'
import { codeHouse } from '../../../test/support/code-house.ts'

describe('JavaScript and TypeScript', () => {
  test.each([
    ['async function main({ params }: Args): Promise<Output> { return { out: params.name + "!" } }'],
    ['function main({ params }) { return { out: params.name + "!" } }'],
    ['const main = async ({ params }: Args) => ({ out: `${params.name}!` })'],
    ['export default async function main({ params }) { return { out: params.name + "!" } }'],
    ['export default async ({ params }: Args) => ({ out: params.name + "!" })'],
    ['export async function main({ params }) { return { out: params.name + "!" } }'],
    ['export const suffix = "!"\nasync function main({ params }) { return { out: params.name + suffix } }'],
    ['async function greet({ params }) { return { out: params.name + "!" } }\nexport { greet as main }'],
    ['const end = await Promise.resolve("!")\nexport async function main({ params }) { return { out: params.name + end } }'],
    ['sloppy = "!"; async function main({ params }) { return { out: params.name + sloppy } }'],
  ])('takes %s', async (code) => {
    await using house = codeHouse('javascript')
    expect(await house.run(code, { name: 'Ada 🚀' })).toEqual({ out: 'Ada 🚀!' })
  })

  test('types of every kind are taken out', async () => {
    await using house = codeHouse('javascript')
    const code = `
      type Item = { name: string; count?: number }
      interface Box<T> { items: T[] }
      class Counter { private total: number = 0; add(by: number): this { this.total += by; return this } get sum(): number { return this.total } }
      const list = <T,>(...items: T[]): Box<T> => ({ items })
      async function main({ params }: Args): Promise<Output> {
        const box = list<Item>({ name: params.name as string })
        return { first: box.items[0]!.name satisfies string, sum: new Counter().add(2).sum, rest: (params.rest as any)?.x ?? null }
      }`
    expect(await house.run(code, { name: 'a' })).toEqual({ first: 'a', sum: 2, rest: null })
  })

  test('integers of 19 digits come and go unharmed, at any depth', async () => {
    await using house = codeHouse('javascript')
    const ids = { id: 7351234567890123459n, list: [-9223372036854775808n, 1, { deep: 9007199254740993n }], text: '7351234567890123459' }
    const code =
      'async function main({ params }) { return { ...params, kind: typeof params.id, next: params.id + 1n, json: JSON.stringify(params.id) } }'

    expect(await house.run(code, ids)).toEqual({ ...ids, kind: 'bigint', next: 7351234567890123460n, json: '"7351234567890123459"' })
  })

  test('texts stay what they are: unicode, half characters, line separators, nul', async () => {
    await using house = codeHouse('javascript')
    const texts = {
      han: '构建输出对象 🧑‍🚀',
      half: '\ud83d',
      lines: 'a\u2028b\u2029c',
      nul: 'a\u0000b',
      'a key "with" \\ signs': '</script>',
    }
    expect(await house.run('const main = ({ params }) => ({ ...params, same: params.half.length === 1 })', texts)).toEqual({
      ...texts,
      same: true,
    })
  })

  test('what is no JSON is left out, as JSON.stringify does', async () => {
    await using house = codeHouse('javascript')
    const code = `const main = () => ({ f() {}, s: Symbol('x'), u: undefined, list: [undefined, () => 1], nan: NaN, inf: -Infinity,
      date: new Date(0), map: new Map([[1, 2]]), big: 5n, zero: -0, re: /x/, bytes: new Uint8Array(2) })`
    expect(await house.run(code)).toEqual({
      ...{ list: [null, null], nan: null, inf: null, date: '1970-01-01T00:00:00.000Z', map: {}, big: 5, zero: 0, re: {} },
      bytes: { 0: 0, 1: 0 },
    })
  })

  test('timers run in the order of their time, and can be taken back', async () => {
    await using house = codeHouse('javascript')
    const code = `async function main() {
      const order = []
      setTimeout((name) => order.push(name), 40, 'late')
      setTimeout(() => order.push('early'), 5)
      clearTimeout(setTimeout(() => order.push('never'), 10))
      await new Promise((resolve) => setTimeout(resolve, 80))
      return { order }
    }`
    expect(await house.run(code)).toEqual({ order: ['early', 'late'] })
  })

  test.each([
    ['function main() {\n  const x = null\n  return x.y\n}', "TypeError: cannot read property 'y' of null (line 3)"],
    ['async function main() {\n  await 1\n  throw new RangeError("too far")\n}', 'RangeError: too far (line 3)'],
    ['function main() { setTimeout(() => { throw new Error("later") }, 1); return new Promise(() => {}) }', 'Error: later (line 1)'],
    ['throw new Error("at the top")', 'Error: at the top (line 1)'],
    ['const a = 1\nlet b = ;', 'SyntaxError: Expression expected (line 2)'],
    ['let a: number = 1\nenum Color { Red }', 'SyntaxError: TypeScript enum is not supported in strip-only mode (line 2)'],
    ['const a = 1', 'there is no function main: the code must define async function main({ params })'],
    ['const main = 5', 'there is no function main: the code must define async function main({ params })'],
    ['function main() { throw "a text" }', 'a text'],
    ['function main() { throw { code: 5 } }', '{"code":5}'],
    ['function main() { throw undefined }', 'undefined'],
    ['function main() { throw null }', 'the code needs too much memory, or threw null'],
    ['function main() { throw Symbol("s") }', 'Symbol(s)'],
    ['function main() { throw { get x() { throw 1 } } }', 'the code threw something that cannot be shown'],
    ['function main() { throw Object.create(null) }', '{}'],
    [
      'function main() { const e = new Error("x"); e.stack = { toString() { throw 1 } }; throw e }',
      'the code threw something that cannot be shown',
    ],
    ['function main() { return [1] }', 'main must return an object, not a list'],
    ['function main() { return "text" }', 'main must return an object, not a string'],
    ['function main() { return null }', 'main must return an object, not nothing'],
    ['function main() {}', 'main must return an object, not nothing'],
    ['function main() { return () => 1 }', 'main must return an object, not nothing'],
    ['function main() { const a = {}; a.a = a; return a }', 'TypeError: circular reference'],
    ['function main() { return { get a() { throw new Error("from a getter") } } }', 'Error: from a getter (line 1)'],
    ['import fs from "node:fs"\nasync function main() { return {} }', "ReferenceError: could not load module 'node:fs'"],
    ['async function main() { await new Promise(() => {}) }', 'main never ends: it waits for a promise that nothing resolves'],
  ])('%s fails with words for its builder', async (code, message) => {
    await using house = codeHouse('javascript')
    expect(await house.failureOf(code)).toBe(message)
  })

  test('a failure shows the end of what was printed', async () => {
    await using house = codeHouse('javascript')
    const code = 'function main({ params }) { console.log("got", params); console.warn(undefined, 5n); throw new Error("no") }'
    expect(await house.failureOf(code, { a: [1] })).toBe('Error: no (line 1)\nprinted before: got {"a":[1]}\nundefined "5"')
  })

  test('params of more than 4 MB and results of more than 1 MB are refused, less is not', async () => {
    await using house = codeHouse('javascript')
    const echo = 'const main = ({ params }) => ({ length: params.text.length, out: params.text.slice(0, params.keep) })'

    expect(await house.run(echo, { text: 'x'.repeat(3_900_000), keep: 900_000 })).toEqual({ length: 3_900_000, out: 'x'.repeat(900_000) })
    expect(await house.failureOf(echo, { text: 'x'.repeat(4_000_000), keep: 0 })).toBe('the inputs of the code have more than 4 MB of JSON')
    expect(await house.failureOf(echo, { text: 'x'.repeat(1_100_000), keep: 1_100_000 })).toContain('the result is too large')
    // fewer characters than bytes
    expect(await house.failureOf(echo, { text: '构'.repeat(500_000), keep: 500_000 })).toContain('the result has more than 1 MB of JSON')
  })
})
