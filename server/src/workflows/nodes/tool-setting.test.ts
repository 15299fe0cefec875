import { expect, test } from 'vitest'
import { parseToolSetting, visibleResult, visibleSchema, withDefaults } from './tool-setting.ts'

const text = { type: 'string' }
const schema = {
  type: 'object',
  properties: {
    city: text,
    days: { type: 'integer' },
    key: text,
    place: { type: 'object', properties: { zip: text, country: text }, required: ['zip', 'country'] },
    stops: { type: 'array', items: { type: 'object', properties: { name: text, secret: text }, required: ['name', 'secret'] } },
  },
  required: ['city', 'days', 'key'],
}
const request = [
  { name: 'days', local_disable: false, local_default: '3' },
  { name: 'key', local_disable: true, local_default: 'k-1' },
  { name: 'place', sub_parameters: [{ name: 'country', local_disable: true, local_default: 'FR' }] },
  { name: 'stops', sub_parameters: [{ name: '[Array Item]', sub_parameters: [{ name: 'secret', global_disable: true }] }] },
]
const setting = parseToolSetting({ request_params: request })

test('a hidden parameter is not shown to the model, at any depth', () => {
  const seen = visibleSchema(schema, setting.request)

  expect(seen).toEqual({
    type: 'object',
    properties: {
      city: text,
      days: { type: 'integer', default: 3 },
      place: { type: 'object', properties: { zip: text }, required: ['zip'] },
      stops: { type: 'array', items: { type: 'object', properties: { name: text }, required: ['name'] } },
    },
    required: ['city'],
  })
})

test('defaults stand in for what the model does not give, in the type of the parameter', () => {
  expect(withDefaults({ city: 'Paris' }, schema, setting.request)).toEqual({
    city: 'Paris',
    days: 3,
    key: 'k-1',
    place: { country: 'FR' },
  })
  expect(withDefaults({ city: 'Paris', days: 5, place: { zip: '75001' } }, schema, setting.request)).toMatchObject({
    days: 5,
    place: { zip: '75001', country: 'FR' },
  })
})

test('a value that a model gives for a hidden parameter does not count', () => {
  const args = withDefaults({ key: 'stolen', stops: [{ name: 'a', secret: 'x' }, 7] }, schema, setting.request)

  expect(args).toMatchObject({ key: 'k-1', stops: [{ name: 'a' }, 7] })
  expect(JSON.stringify(args)).not.toContain('secret')
})

test('a parameter named __proto__ is only a name', () => {
  const { request: params } = parseToolSetting({ request_params: [{ name: '__proto__', local_disable: true, local_default: 'x' }] })

  const args = withDefaults({}, { properties: {} }, params)
  expect(Object.keys(args)).toEqual(['__proto__'])
  expect(Object.getPrototypeOf(args)).toBe(Object.prototype)
})

test('hidden fields of a result are left out, in lists as well', () => {
  const { response } = parseToolSetting({
    response_params: [
      { name: 'raw', local_disable: true },
      { name: 'rows', sub_parameters: [{ name: '[Array Item]', sub_parameters: [{ name: 'id', local_disable: true }] }] },
    ],
  })

  const result = {
    raw: 'x',
    rows: [
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
    ],
    more: true,
  }
  expect(visibleResult(result, response)).toEqual({ rows: [{ name: 'a' }, { name: 'b' }], more: true })
})

test.each([[undefined], [null], ['x'], [{}], [{ request_params: null }], [{ request_params: ['x', null, 3] }]])(
  'a setting that says nothing changes nothing: %j',
  (raw) => {
    const { request: params, response } = parseToolSetting(raw)

    expect(visibleSchema(schema, params)).toBe(schema)
    expect(withDefaults({ city: 'Paris' }, schema, params)).toEqual({ city: 'Paris' })
    expect(visibleResult({ a: 1 }, response)).toEqual({ a: 1 })
  },
)
