import { describe, expect, test } from 'vitest'
import { openConsole } from '../../../test/support/console-client.ts'
import { answers, fails, says, wait } from '../../../test/support/fake-answers.ts'
import { useTestApp } from '../../../test/support/test-app.ts'
import type { Json } from '../../../test/support/test-app.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { drawCanvas, ref } from '../../../test/support/canvas-builder.ts'

const HOUR = 3_600_000
const range = (query = '') => `usage?from=${Date.now() - 24 * HOUR}&to=${Date.now() + HOUR}&${query}`

describe.each(testDatabases())('usage in the console on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('the calls just made: tokens, errors, time to the first token, by agent and by key', async () => {
    const builder = await app.makeUser()
    const bob = await openConsole(app, builder.email)
    const one = await app.makeBot(builder.userId, { profile: { name: 'One' } })
    const two = await app.makeBot(builder.userId, { profile: { name: '=Two,"quoted"' } })
    const other = await app.makeKey(builder.userId)
    const call = (bot_id: string, apiKey = builder.apiKey, stream = false) =>
      app.call('POST', '/v3/chat', { bot_id, query: 'hi', stream }, { apiKey })
    app.provider.script = answers([wait(120), 'late ', wait(250), 'end'])
    await call(one, builder.apiKey, true)
    app.provider.script = says('quick')
    await call(one)
    await call(two, other.apiKey)
    app.provider.script = fails(400)
    await call(two, other.apiKey)

    const usage = await bob.read(range('bucket=hour'))
    expect(usage.total).toMatchObject({ calls: 4, errors: 1, canceled: 0, open: 0, input_tokens: expect.any(Number) })
    expect(usage.total.output_tokens).toBeGreaterThan(0)
    expect(usage.by_agent).toMatchObject([
      { name: 'One', calls: 2, errors: 0 },
      { name: '=Two,"quoted"', calls: 2, errors: 1 },
    ])
    expect(usage.by_key).toMatchObject([
      { key_id: builder.keyId, name: 'test', calls: 2 },
      { key_id: other.keyId, calls: 2, is_deleted: false },
    ])
    expect(usage.by_workflow).toBeNull()
    expect(usage.buckets).toHaveLength(26)
    expect(usage.buckets.filter((bucket: Json) => bucket.calls > 0).length).toBeLessThanOrEqual(2)
    const slow = usage.by_agent[0]
    expect(slow.latency_p95_ms).toBeGreaterThan(330)
    expect(slow.first_token_p95_ms).toBeGreaterThan(100)
    expect(slow.first_token_p95_ms).toBeLessThan(slow.latency_p95_ms - 150)
    expect(usage.buckets[0]).toMatchObject({ calls: 0, latency_p50_ms: null, first_token_p95_ms: null })

    expect((await bob.read(range(`agent_id=${two}`))).total).toMatchObject({ calls: 2, errors: 1 })
    expect((await bob.read(range(`key_id=${other.keyId}&agent_id=${one}`))).total.calls).toBe(0)
    expect((await bob.read(range('key_id=0'))).total.calls).toBe(0)
    await app.call(
      'POST',
      '/api/permission_api/pat/delete_personal_access_token_and_permission',
      { id: other.keyId },
      { apiKey: '', headers: { cookie: await app.signIn(builder.email) } },
    )
    expect((await bob.read(range())).by_key[1]).toMatchObject({ name: 'test', is_deleted: true })

    const csv = await bob.get(range('by=subject').replace('usage?', 'usage.csv?'))
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const lines = csv.text.split('\r\n')
    expect(lines[0]).toMatch(/^\uFEFF?agent_id,name,calls,errors/)
    expect(lines[2]).toContain(`${two},"'=Two,""quoted""",2,1`)
    expect((await bob.get(range('by=key').replace('usage?', 'usage.csv?'))).text.split('\r\n')).toHaveLength(4)
  })

  test('runs of workflows are told apart from chats, tests do not count', async () => {
    const builder = await app.makeUser()
    const bob = await openConsole(app, builder.email)
    const canvas = drawCanvas()
      .entry({ word: 'string' })
      .exit({ text: ref('entry.word') })
      .edges('entry > exit')
      .build()
    const { id } = await bob.make('workflows', { name: 'Counted', canvas: JSON.stringify(canvas) })
    await bob.make(`workflows/${id}/publish`)
    const test = await bob.make(`workflows/${id}/test-runs`)
    await bob.stream(`workflow-runs/${test.id}/stream`)
    for (let n = 0; n < 2; n++) await app.call('POST', '/v1/workflow/run', { workflow_id: id, parameters: {} }, { apiKey: builder.apiKey })

    const usage = await bob.read(range('kind=workflow'))
    expect(usage).toMatchObject({
      total: { calls: 2, first_token_p50_ms: null },
      by_agent: null,
      by_workflow: [{ workflow_id: id, name: 'Counted', calls: 2 }],
    })
    expect(usage.by_key).toMatchObject([{ key_id: builder.keyId, calls: 2 }])
    expect((await bob.read(range())).total.calls).toBe(0)
    expect((await bob.read(range(`kind=workflow&workflow_id=5`))).total.calls).toBe(0)
  })

  test('days begin where the reader lives, and a range has its limits', async () => {
    const ada = await openConsole(app)
    const from = Date.UTC(2026, 0, 1, 3)
    const to = Date.UTC(2026, 0, 3, 3)
    const { buckets } = await ada.read(`usage?from=${from}&to=${to}&bucket=day&offset_minutes=480`)
    expect(buckets.map(({ from: begin, to: end }: Json) => [new Date(begin).toISOString(), new Date(end).toISOString()])).toEqual([
      ['2026-01-01T03:00:00.000Z', '2026-01-01T16:00:00.000Z'],
      ['2026-01-01T16:00:00.000Z', '2026-01-02T16:00:00.000Z'],
      ['2026-01-02T16:00:00.000Z', '2026-01-03T03:00:00.000Z'],
    ])
    for (const query of [
      `from=${to}&to=${from}`,
      `from=0&to=${to}`,
      `from=${from}&to=${from + 1001 * HOUR}&bucket=hour`,
      `from=x&to=${to}`,
      'to=5',
    ])
      expect(await ada.get(`usage?${query}`), query).toMatchObject({ status: 422 })
  })
})
