import { expect } from 'vitest'
import type { Reply } from './test-app.ts'

export type Refusal = {
  status: number
  /** In the body; the status where nothing else is said. */
  code?: number
  message: string | RegExp
  /** More fields of the body. */
  more?: object
}

/** The guide's error body, whole: nothing is missing and nothing else is in it. */
export function expectRefusal(reply: Reply, { status, code = status, message, more = {} }: Refusal): void {
  const text = typeof message === 'string' ? message : expect.stringMatching(message)
  const logId = reply.headers.get('x-tt-logid')
  expect({ status: reply.status, body: reply.body }).toEqual({
    status,
    body: { code, msg: text, message: text, request_id: logId, detail: { logid: logId }, ...more },
  })
  expect(reply.body.msg).toBe(reply.body.message)
  expect(logId).toMatch(/^req_\d+$/)
  expect(reply.headers.get('content-type')).toMatch(/^application\/json/)
  // one line: the official JavaScript SDK loses a stream's error otherwise
  expect(reply.text).not.toMatch(/\n/)
  // nothing of a library's own words, and no stack
  expect(reply.text).not.toMatch(/ at [^ ]+:\d+:\d+|node_modules|FST_|SQLITE|ER_[A-Z]|match pattern|nvalid input|[Tt]oo (big|small):/)
}
