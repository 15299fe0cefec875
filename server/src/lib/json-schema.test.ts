import { expect, test } from 'vitest'
import { findSchemaProblem, findValueProblem } from './json-schema.ts'

test.each<[unknown]>([
  [{}],
  [{ type: 'object' }],
  [{ type: 'object', properties: { a: { type: ['string', 'null'], enum: ['x', null] }, b: true }, required: ['a'] }],
  [{ properties: { list: { type: 'array', items: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/x' }] } } }, $defs: { x: {} } }],
  [{ additionalProperties: false, 'x-own': 5, unknownKeyword: [] }],
])('a schema that a model can be shown: %j', (schema) => {
  expect(findSchemaProblem(schema)).toBeUndefined()
})

test.each<[unknown, RegExp]>([
  [undefined, /must be an object/],
  ['object', /must be an object/],
  [[], /must be an object/],
  [{ type: 'array' }, /type object/],
  [{ type: 'banana' }, /type object/],
  [{ properties: [] }, /schema\.properties must be an object/],
  [{ properties: { a: { type: 'banana' } } }, /schema\.properties\.a\.type must be one of string/],
  [{ properties: { a: { type: [] } } }, /a\.type/],
  [{ properties: { a: 'string' } }, /schema\.properties\.a must be a schema, not string/],
  [{ required: 'a' }, /schema\.required/],
  [{ required: [1] }, /schema\.required/],
  [{ properties: { a: { enum: [] } } }, /a\.enum/],
  [{ properties: { a: { $ref: 'http://10.0.0.1/schema' } } }, /a\.\$ref must be a place within/],
  [{ anyOf: [] }, /schema\.anyOf/],
  [{ properties: { a: { items: { oneOf: [5] } } } }, /a\.items\.oneOf\[0\] must be a schema, not number/],
])('one that it cannot: %j', (schema, problem) => {
  expect(findSchemaProblem(schema)).toMatch(problem)
})

test('a schema that is too deep is refused, however deep it is', () => {
  let schema: Record<string, unknown> = {}
  for (let depth = 0; depth < 10_000; depth++) schema = { properties: { a: schema } }
  expect(findSchemaProblem(schema)).toMatch(/nested too deeply/)
})

const weather = {
  type: 'object',
  required: ['city'],
  properties: {
    city: { type: 'string' },
    days: { type: 'integer' },
    unit: { enum: ['C', 'F'] },
    places: { type: 'array', items: { type: 'object', required: ['id'], properties: { id: { type: ['string', 'number'] } } } },
  },
}

test.each<[unknown]>([
  [{ city: 'Paris' }],
  [{ city: 'Paris', days: 3, unit: 'C', places: [{ id: 1 }, { id: 'x', more: true }], unknown: {} }],
  [{ city: 'Paris', days: null, unit: null }],
])('arguments that fit: %j', (value) => {
  expect(findValueProblem(weather, value, 'arguments')).toBeUndefined()
})

test.each<[unknown, string]>([
  [[], 'arguments must be object, not array'],
  [null, 'arguments must be object, not null'],
  [{}, 'arguments lacks city'],
  [{ city: null }, 'arguments.city must be string, not null'],
  [{ city: 5 }, 'arguments.city must be string, not number'],
  [{ city: 'x', days: 1.5 }, 'arguments.days must be integer, not number'],
  [{ city: 'x', unit: 'K' }, 'arguments.unit must be one of ["C","F"]'],
  [{ city: 'x', places: {} }, 'arguments.places must be array, not object'],
  [{ city: 'x', places: [{ id: 1 }, {}] }, 'arguments.places[1] lacks id'],
  [{ city: 'x', places: [{ id: true }] }, 'arguments.places[0].id must be string or number, not boolean'],
])('arguments that do not: %j', (value, problem) => {
  expect(findValueProblem(weather, value, 'arguments')).toBe(problem)
})

test('names that every object has are no arguments', () => {
  expect(findValueProblem({ required: ['constructor'] }, {}, 'arguments')).toBe('arguments lacks constructor')
  expect(findValueProblem({ properties: {} }, { toString: 1 }, 'arguments')).toBeUndefined()
})
