import { describe, expect, test } from 'vitest'
import { parseOpenapi } from './openapi-document.ts'

const shop = {
  openapi: '3.0.3',
  info: { title: 'Shop', version: '1' },
  servers: [{ url: 'https://{region}.shop.example/v1', variables: { region: { default: 'eu' } } }],
  paths: {
    '/items/{id}': {
      parameters: [{ $ref: '#/components/parameters/Id' }],
      get: { operationId: 'getItem', summary: 'One item', description: 'With its price', parameters: [{ name: 'id', in: 'query' }] },
      put: {
        requestBody: { required: true, content: { 'application/json': { schema: { $ref: '#/components/schemas/Item' } } } },
      },
      head: {},
    },
    '/search': {
      get: { operationId: 'search items!', parameters: [{ name: 'q', in: 'query', required: true, schema: { type: 'string' } }] },
    },
  },
  components: {
    parameters: { Id: { name: 'id', in: 'path', required: true, description: 'The number', schema: { type: 'integer' } } },
    schemas: {
      Item: {
        type: 'object',
        required: ['id', 'name'],
        properties: {
          id: { type: 'integer', readOnly: true },
          name: { type: 'string', nullable: true, example: 'x', 'x-own': 1 },
          price: { type: 'number', minimum: 0, exclusiveMinimum: true },
          parent: { $ref: '#/components/schemas/Item' },
          tags: { type: 'array', items: { $ref: '#/components/schemas/Tag' } },
        },
      },
      Tag: { type: 'string', enum: ['new', 'old'] },
    },
  },
}

describe('operations become tools', () => {
  test('with their arguments in one schema', () => {
    const { operations, problems, skipped } = parseOpenapi(shop)

    expect([problems, skipped]).toEqual([[], []])
    expect(operations.map(({ toolName, method, path, baseUrl }) => [toolName, method, path, baseUrl])).toEqual([
      ['getItem', 'GET', '/items/{id}', 'https://eu.shop.example/v1'],
      ['put_items_id', 'PUT', '/items/{id}', 'https://eu.shop.example/v1'],
      ['search_items', 'GET', '/search', 'https://eu.shop.example/v1'],
    ])
    expect(operations[0]).toMatchObject({
      description: 'One item\nWith its price',
      schema: { type: 'object', properties: { id: {}, path_id: { type: 'integer', description: 'The number' } }, required: ['path_id'] },
    })
    expect(operations[1]?.schema).toEqual({
      type: 'object',
      properties: {
        id: { type: 'integer', description: 'The number' },
        body: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { type: ['string', 'null'] },
            price: { type: 'number', minimum: 0, exclusiveMinimum: 0 },
            parent: { description: 'the same again' },
            tags: { type: 'array', items: { type: 'string', enum: ['new', 'old'] } },
          },
        },
      },
      required: ['id', 'body'],
    })
  })

  test('under names that models take, each once', () => {
    const paths = Object.fromEntries(
      ['a b', 'a/b', '天气', `x${'y'.repeat(100)}1`, `x${'y'.repeat(100)}2`].map((operationId, at) => [`/${at}`, { get: { operationId } }]),
    )
    const names = parseOpenapi({ ...shop, paths }).operations.map(({ toolName }) => toolName)

    expect(names.slice(0, 3)).toEqual(['a_b', 'a_b_2', 'tool'])
    expect(names.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name))).toBe(true)
    expect(new Set(names).size).toBe(5)
  })

  test('those that are named, by id, by tool name, or by method and path', () => {
    const { operations, problems } = parseOpenapi(shop, { operations: ['getItem', 'search_items', 'put /items/{id}'] })
    expect([operations.length, problems]).toEqual([3, []])
    expect(parseOpenapi(shop, { operations: ['nope'] })).toMatchObject({ operations: [], problems: ['there is no operation nope'] })
  })

  test('base_url counts before what the document says', () => {
    expect(parseOpenapi(shop, { baseUrl: 'http://10.1.2.3/api/' }).operations[0]?.baseUrl).toBe('http://10.1.2.3/api/')
    const own = { ...shop, paths: { '/x': { servers: [{ url: 'https://path.example' }], get: {} } } }
    expect(parseOpenapi(own).operations[0]?.baseUrl).toBe('https://path.example/')
  })
})

describe('references', () => {
  const withSchemas = (schemas: Record<string, unknown>) => ({
    ...shop,
    paths: { '/x': { post: { requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } } } } },
    components: { schemas },
  })
  const bodyOf = (schemas: Record<string, unknown>) => {
    const { operations, problems } = parseOpenapi(withSchemas(schemas))
    expect(problems).toEqual([])
    return JSON.stringify(operations[0]?.schema)
  }

  test('cycles of any length end', () => {
    expect(bodyOf({ A: { $ref: '#/components/schemas/A' } })).toContain('"body":{}')
    expect(bodyOf({ A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } })).toContain('"body":{}')
    expect(
      bodyOf({ A: { properties: { b: { $ref: '#/components/schemas/B' } } }, B: { items: { $ref: '#/components/schemas/A' } } }),
    ).toContain('"b":{"items":{"description":"the same again"}}')
    expect(bodyOf({ A: { anyOf: [{ $ref: '#/components/schemas/A' }], not: { $ref: '#/components/schemas/A' } } })).toContain(
      'the same again',
    )
    expect(bodyOf({ A: { properties: { whole: { $ref: '#' } } } })).toContain('whole')
  })

  test('a chain in which each names the next one twice does not grow without bounds', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 18 }, (_, at) => [
        at === 0 ? 'A' : `A${at}`,
        { properties: { left: { $ref: `#/components/schemas/A${at + 1}` }, right: { $ref: `#/components/schemas/A${at + 1}` } } },
      ]),
    )
    const begin = performance.now()
    expect(bodyOf({ ...chain, A18: { type: 'string', description: 'd'.repeat(10_000) } }).length).toBeLessThan(200_000)
    expect(performance.now() - begin).toBeLessThan(1_000)
  })

  test.each([
    ['file:///etc/passwd', /within the document only/],
    ['./other.yaml#/A', /within the document only/],
    ['http://169.254.169.254/schema.json', /within the document only/],
    ['#/components/schemas/Missing', /leads nowhere/],
    ['#/components/schemas/A/constructor', /leads nowhere/],
    ['#/components/schemas/A/%E0%A4%A', /leads nowhere/],
  ])('%s is not followed', (ref, problem) => {
    const { operations, problems } = parseOpenapi(withSchemas({ A: { properties: { x: { $ref: ref } } } }))
    expect([operations, problems]).toEqual([[], [expect.stringMatching(problem)]])
  })
})

describe('documents that cannot be used', () => {
  const itself: Record<string, unknown> = { openapi: '3.1.0' }
  itself.self = itself
  let deep: unknown = {}
  for (let depth = 0; depth < 1_000; depth++) deep = { a: deep }

  test.each<[string, unknown, RegExp]>([
    ['text', 'openapi: 3.0.0', /not an object/],
    ['a list', [], /not an object/],
    ['nothing', undefined, /not an object/],
    ['an object', {}, /not an OpenAPI 3 document/],
    ['Swagger', { swagger: '2.0', paths: {} }, /convert it/],
    ['another version', { openapi: '4.0.0' }, /not an OpenAPI 3/],
    ['no paths', { openapi: '3.1.0' }, /no operations/],
    ['paths that are a list', { ...shop, paths: [] }, /no operations/],
    ['itself', itself, /contains itself/],
    ['a deep one', { ...shop, deep }, /nested too deeply/],
    ['more than 1 MB', { ...shop, info: { description: 'x'.repeat(1_000_001) } }, /more than 1 MB/],
    ['no servers', { ...shop, servers: undefined }, /names no server: give it a base_url/],
    ['empty servers', { ...shop, servers: [] }, /names no server/],
    ['servers of another kind', { ...shop, servers: 'http://x' }, /names no server/],
    ['a file as server', { ...shop, servers: [{ url: 'file:///etc/passwd' }] }, /must begin with http/],
    ['a relative server', { ...shop, servers: [{ url: '/v1' }] }, /no whole URL/],
    ['a server without host', { ...shop, servers: [{ url: '{host}' }] }, /no whole URL/],
    ['a password in the server', { ...shop, servers: [{ url: 'http://a:sesame@x.example' }] }, /must not hold a user name/],
    [
      'too many operations',
      { ...shop, paths: Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`/${at}`, { get: {} }])) },
      /200 operations: name at most 128/,
    ],
  ])('%s', (_what, document, problem) => {
    const { problems } = parseOpenapi(document)
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(problems.join()).not.toMatch(/sesame|passwd/)
  })

  test('an operation that a model cannot call is left out, and is a problem only where it was asked for', () => {
    const paths = {
      '/good': { get: {} },
      '/upload': { post: { requestBody: { required: true, content: { 'multipart/form-data': { schema: {} } } } } },
      '/matrix/{a}': { get: { parameters: [{ name: 'a', in: 'path', style: 'matrix' }] } },
      '/hidden/{a}': { get: {} },
      '/odd': { get: { parameters: [{ name: 'a', in: 'query', schema: { type: 'banana' } }] } },
      '/header': { get: { parameters: [{ name: 'a b', in: 'header' }] } },
    }
    const { operations, problems, skipped } = parseOpenapi({ ...shop, paths })

    expect(operations.map(({ toolName }) => toolName)).toEqual(['get_good'])
    expect([problems, skipped.length]).toEqual([[], 5])
    expect(parseOpenapi({ ...shop, paths }, { operations: ['POST /upload'] }).problems).toEqual([
      'POST /upload: its body has a type that cannot be sent',
    ])
  })

  test.each<[unknown]>([
    [{ '/x': null }],
    [{ '/x': { get: null, post: [], put: 'x' } }],
    [{ '/x': { get: { parameters: 'x', requestBody: [], operationId: 5, servers: {}, summary: [] } } }],
    [{ '/x': { get: { parameters: [null, 5, { in: 'query' }, { name: 'a' }, { name: 'a', in: 'moon' }, { name: 5, in: 'query' }] } } }],
    [{ '/x': { post: { requestBody: { content: { 'application/json': null } } } } }],
    [{ '/x': { post: { requestBody: { content: { 'application/json': { schema: 'x' } } } } } }],
    [{ '/x': { get: { parameters: [{ name: '__proto__', in: 'query' }] } } }],
  ])('%j does no harm', (paths) => {
    expect(() => parseOpenapi({ ...shop, paths })).not.toThrow()
  })
})
