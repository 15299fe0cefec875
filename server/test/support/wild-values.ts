import fc from 'fast-check'
import type { Json } from './test-app.ts'

/** Values for requests: such as a schema asks for, and such as nobody expects. */
export type ValuePool = {
  /** What a field of this name usually has. */
  named(field: string): fc.Arbitrary<unknown> | undefined
}

/** A value that a schema may take; objects lack most of what is not required. */
export function fitting(schema: Json, pool: ValuePool, field = ''): fc.Arbitrary<unknown> {
  const kind = kindOf(schema)
  const known = kind === 'object' || kind === 'array' ? undefined : pool.named(field)
  if (known) return known
  if (kind === 'enum') return fc.constantFrom(...(schema.enum ?? [schema.const]))
  if (kind === 'union') return fc.oneof(...[schema.anyOf ?? schema.oneOf].flat().map((side) => fitting(side, pool, field)))
  if (kind === 'object') return object(schema, pool)
  if (kind === 'array') return fc.array(fitting(schema.items ?? {}, pool, field), { maxLength: 3 })
  return plain(kind)
}

function kindOf(schema: Json): string | undefined {
  if (schema?.enum || schema?.const !== undefined) return 'enum'
  return schema?.anyOf || schema?.oneOf ? 'union' : schema?.type
}

function object(schema: Json, pool: ValuePool): fc.Arbitrary<unknown> {
  const fields = Object.entries<Json>(schema.properties ?? {})
  if (fields.length === 0) return fc.dictionary(fc.constantFrom('a', 'USER_INPUT', '__proto__', 'é'), shortText(), { maxKeys: 3 })
  const required: string[] = schema.required ?? []
  const model = fields.map(([name, each]) => {
    const value = fitting(each, pool, name)
    return required.includes(name) ? value : fc.oneof({ weight: 5, arbitrary: fc.constant(ABSENT) }, { weight: 1, arbitrary: value })
  })
  return fc
    .tuple(...model)
    .map((values) => Object.fromEntries(fields.map(([name], at) => [name, values[at]] as const).filter(([, value]) => value !== ABSENT)))
}

const ABSENT = Symbol('absent')

function plain(type: string | undefined): fc.Arbitrary<unknown> {
  if (type === 'integer' || type === 'number') return fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer())
  if (type === 'boolean') return fc.boolean()
  if (type === 'null') return fc.constant(null)
  return type === 'string' ? shortText() : fc.oneof(shortText(), fc.integer(), fc.constant({}))
}

const shortText = () =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('hi', '你好', 'x', '{"a":1}', '[]') },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
    { weight: 2, arbitrary: oddText() },
  )

/** Such an object with some of its fields swapped, lost, nested, repeated or made wild. */
export function spoiled(right: fc.Arbitrary<unknown>, schema: Json): fc.Arbitrary<unknown> {
  const names: string[] = Object.keys(schema?.properties ?? { any: {} })
  const changes = fc.array(fc.tuple(fc.constantFrom(...names), wild()), { minLength: 1, maxLength: 3 })
  return fc.tuple(right, changes).map(([whole, spoils]) => {
    if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) return spoils[0]?.[1]
    return Object.fromEntries([...Object.entries(whole), ...spoils])
  })
}

/** Anything that JSON can say, and much that nobody says. */
export const wild = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, -0, 1e308, 2 ** 53, [], {}, '', [[]], [null]) },
    { weight: 3, arbitrary: oddText() },
    { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
    { weight: 1, arbitrary: fc.integer({ min: 5, max: 80 }).map(nested) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(Array(2_000).fill(0), Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, at]))),
    },
    { weight: 1, arbitrary: fc.constantFrom('x'.repeat(300), 'é'.repeat(70_000), '{{'.repeat(5_000)) },
  )

export const oddText = (): fc.Arbitrary<string> => fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ unit: 'binary', maxLength: 20 }))

const ODD_TEXTS = [
  ...['0', '-1', '00', '1e5', '0x10', '1.0', ' 1 ', '9223372036854775807', '9223372036854775808', '99999999999999999999999', '１２３'],
  ...['null', 'undefined', 'NaN', 'true', '[object Object]', '__proto__', 'constructor', 'toString', 'hasOwnProperty'],
  ...['../../../etc/passwd', '..\\..\\windows', '/', '.', '..', '%2e%2e%2f', '%00', '%', '\u0000', 'a\u0000b', '\r\nx-evil: 1', '\t\n'],
  ...["' or '1'='1", "'; drop table user; --", '"', '\\', '${7*7}', '{{prompt}}', '<script>alert(1)</script>', '%s%n', '* * * *'],
  ...['💥', '👩‍👩‍👧‍👦', 'مرحبا', '\u202eabc', '\ufeff', '\ud800', '\udfff', 'ﬀ', '\u2028\u2029', 'I\u0307', 'ß'.repeat(300), 'a'.repeat(101)],
  ...[
    'http://127.0.0.1:1/',
    'http://169.254.169.254/latest',
    'http://[::1]:1/',
    'http://localhost:1',
    'file:///etc/passwd',
    'http://0/',
    'javascript:1',
  ],
]

function nested(depth: number): unknown {
  let value: unknown = depth
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}
