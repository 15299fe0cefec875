import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { readGuide } from './guide-files.ts'

const PAT = '/api/permission_api/pat'
const REQUESTS = [
  `POST ${PAT}/create_personal_access_token_and_permission`,
  `GET ${PAT}/list_personal_access_tokens`,
  `GET ${PAT}/get_personal_access_token_and_permission`,
  `POST ${PAT}/update_personal_access_token_and_permission`,
  `POST ${PAT}/delete_personal_access_token_and_permission`,
  'POST /v3/chat',
  'GET /v1/bot/get_online_info',
  'GET /v1/bots/:',
  'POST /v1/files/upload',
  'POST /v1/conversation/create',
  'GET /v1/conversations',
  'GET /v1/conversations/:',
  'POST /v1/conversations/:/clear',
  'DELETE /v1/conversations/:',
  'POST /v1/workflow/run',
  'POST /v1/workflow/stream_run',
  'GET /v1/workflow/get_run_history',
  'POST /v1/workflows/chat',
]

const guide = await readGuide()

describe('the OpenAPI document', () => {
  let app: TestApp
  let documented: Set<string>

  beforeAll(async () => {
    app = await startTestApp()
    const { body } = await app.call('GET', '/openapi.json')
    documented = new Set(
      Object.entries<object>(body.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => toRequest(method, path))),
    )
  })
  afterAll(() => app[Symbol.asyncDispose]())

  test('has every request of the guide', () => {
    expect(REQUESTS.filter((request) => !documented.has(request))).toEqual([])
  })

  test.skipIf(guide === undefined)('is compared with all that the guide shows', () => {
    const shown = [...(guide ?? '').matchAll(/^(GET|POST|PUT|DELETE) (\/[^\s?]+)/gm)].map(([, method = '', path = '']) =>
      toRequest(method, path),
    )

    expect(shown.length).toBeGreaterThan(10)
    expect(new Set(shown)).toEqual(new Set(REQUESTS))
  })
})

/** Parameters have other names in different places. */
const toRequest = (method: string, path: string) => `${method.toUpperCase()} ${path.replaceAll(/:\w+|\{\w+\}/g, ':')}`
