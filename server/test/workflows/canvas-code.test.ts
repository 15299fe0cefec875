import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { fields, literal, ref } from '../support/canvas-builder.ts'
import type { NodeSketch, Params, TypeFields } from '../support/canvas-builder.ts'
import { openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { cannotRun } from '../support/find-program.ts'
import { single } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())

const entry: TypeFields = { s: 'string', n: 'integer', list: ['integer'], user: { name: 'string', age: 'integer' } }
const given: Params = {
  ...{
    s: ref('entry.s'),
    n: ref('entry.n', 'integer'),
    list: ref('entry.list', ['integer']),
    user: ref('entry.user', { name: 'string', age: 'integer' }),
  },
  ...{ made: fields({ a: ref('entry.user.name'), b: literal('2', 'integer') }), none: ref('entry.gone', 'boolean') },
}
const args = { s: 'ü"\n', n: 9_007_199_254_740_993n, list: [3, 1, 2], user: { name: 'Ada', age: 36 }, gone: null }
const node = (language: number | string, code: string, sketch: NodeSketch): NodeSketch => ({
  params: given,
  ...sketch,
  inputs: { code, language },
})

const got = async (sketch: NodeSketch, exit?: Params) => (await house.results(single(5, sketch, { entry, exit }), args)) as ValueObject

const TYPESCRIPT = `async function main({ params }: Args): Promise<Output> {
  // Build the result
  const sorted: number[] = [...params.list].sort((a: number, b: number) => a - b)
  interface Named { name: string }
  const named = params.user as Named
  const ret = {
    "key0": params.s + named.name!,
    "key1": sorted,
    "key2": { "key21": params.made.b + 1, "key22": params.none },
    extra: [params.user.age],
  };
  return ret;
}`
const PYTHON = `# Here, you can use args.params to read the inputs
async def main(args: Args) -> Output:
    params = args.params
    ret: Output = {
        "key0": params['s'] + params['user']['name'],
        "key1": sorted(params['list']),
        "key2": {"key21": params['made']['b'] + 1, "key22": params['none']},
        "extra": [params['user']['age']],
    }
    return ret
`
const declared: TypeFields = {
  key0: 'string',
  key1: ['string'],
  key2: { key21: 'integer', key22: 'boolean', key23: 'string' },
  missing: 'float',
}
const result = { key0: 'ü"\nAda', key1: ['1', '2', '3'], key2: { key21: 3, key22: false, key23: null }, missing: null, extra: [36] }

describe('code', () => {
  test.for([5, '5', 1])(
    'in TypeScript (%s) gets its inputs filled, and its result is converted; undeclared fields pass',
    async (language) => {
      expect(await got(node(language, TYPESCRIPT, { outputs: declared }))).toEqual({ got: result })
      expect(
        await got(node(language, TYPESCRIPT, { outputs: declared }), {
          age: ref('101.extra', ['integer']),
          first: ref('101.key2.key21', 'integer'),
        }),
      ).toEqual({ age: [36], first: 3 })
    },
  )

  test.skipIf(cannotRun('bwrap', 'python3')).for([3, '3'])('in Python (%s) the same', async (language) => {
    expect(await got(node(language, PYTHON, { outputs: declared }))).toEqual({ got: result })
  })

  test('gives null for what does not fit, and leaves elements out', async () => {
    const code =
      'async function main() { return { n: "many", list: [1, "two", 3], o: { score: "x" }, b: "true", big: "9007199254740993" } }'
    const outputs: TypeFields = { n: 'integer', list: ['integer'], o: { score: 'integer' }, b: 'boolean', big: 'integer' }
    expect(await got(node(5, code, { outputs }))).toEqual({
      got: { n: null, list: [1, 3], o: { score: null }, b: true, big: 9_007_199_254_740_993n },
    })
  })

  test('that throws, or gives no object, fails with what it said', async () => {
    const failure = async (code: string) => {
      return (await house.play(single(5, node(5, code, { outputs: { a: 'string' } }), { entry }), args)).run.error
    }
    expect(await failure('async function main() { throw new Error("no luck") }')).toMatchObject({
      code: 305000002,
      message: expect.stringContaining('no luck'),
    })
    expect(await failure('async function main() { return [1] }')).toMatchObject({ code: 305000002 })
    expect(await failure('function other() {}')).toMatchObject({ code: 305000002 })
    expect(await failure('async function main( {')).toMatchObject({ code: 305000002 })
    const handled = node(5, 'async function main() { throw new Error("x") }', {
      outputs: { a: 'string' },
      onError: { processType: 2, dataOnErr: '{"a":"instead"}' },
    })
    expect(await got(handled, { a: ref('101.a'), code: ref('101.errorBody.errorCode') })).toEqual({ a: 'instead', code: '305000002' })
  })

  test('in a language that is not known keeps the workflow from running', async () => {
    await expect(got(node(2, 'package main', { outputs: { a: 'string' } }))).rejects.toMatchObject({ code: 'invalid_request' })
  })
})
