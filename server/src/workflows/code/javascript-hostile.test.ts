import { expect, test } from 'vitest'
import { codeHouse, threadIds } from '../../../test/support/code-house.ts'
import { pause } from '../../lib/background.ts'
import { createCodeRunner } from './code-runner.ts'

const TOO_SLOW = 'the code ran longer than 1.2 seconds and was ended'
const small = 'function main() { return { ok: true } }'

test.each([
  ['a loop', 'function main() { while (true); }'],
  ['a loop before main', 'for (;;) {}'],
  ['a chain of promises', 'async function main() { while (true) await null }'],
  [
    'microtasks that make microtasks',
    'const main = () => new Promise(() => { const again = () => void Promise.resolve().then(again); again() })',
  ],
  ['timers that make timers', 'const main = () => new Promise(() => { const again = () => setTimeout(again, 0); again() })'],
  ['a timer of a thousand years', 'const main = () => new Promise((resolve) => setTimeout(resolve, 3e13))'],
  ['a regular expression', 'const main = () => ({ x: /^(a+)+$/.test("a".repeat(40) + "b") })'],
  ['work inside of the language', 'const main = () => ({ x: new Array(2 ** 32 - 1).join("ab").length })'],
  ['a loop in a getter of the result', 'const main = () => ({ get x() { for (;;); } })'],
  ['a loop in toJSON', 'const main = () => ({ toJSON() { for (;;); } })'],
  ['a loop in what is thrown', 'const main = () => { throw { toString() { for (;;); }, toJSON() { for (;;); } } }'],
  ['a promise that is a loop', 'const main = () => ({ then() { for (;;); } })'],
  ['catching what ends it', 'const main = () => { for (;;) try { for (;;); } catch {} finally { continue } }'],
])('%s ends with its time, and the next run is well', async (_what, code) => {
  await using house = codeHouse('javascript', { timeoutMs: 1_200 })
  expect(await house.failureOf(code)).toBe(TOO_SLOW)
  expect(await house.run(small)).toEqual({ ok: true })
})

test.each([
  ['lists', 'const a = []; while (true) a.push(new Array(1000).fill(1))'],
  ['small lists', 'const a = []; while (true) a.push([1, 2, 3])'],
  ['texts', 'const a = []; while (true) a.push("x".repeat(100000) + a.length)'],
  ['one text', 'let s = "x"; while (true) s += s'],
  ['one buffer', 'new ArrayBuffer(2 ** 31)'],
  ['names', 'const o = {}; for (let i = 0; ; i++) o["k" + i] = { i }'],
  ['promises', 'const p = []; while (true) p.push(new Promise(() => {}))'],
  ['timers', 'while (true) setTimeout(() => 1, 1)'],
  ['a large integer', 'let n = 2n; while (true) n **= 2n'],
])('memory ends at its limit: %s', async (_what, body) => {
  await using house = codeHouse('javascript', { timeoutMs: 15_000 })
  const before = process.memoryUsage.rss()
  const message = await house.failureOf(`function main() { ${body} }`)

  expect(message).toMatch(/memory|too long|too large|Invalid|invalid/)
  expect(message).not.toContain('ran longer')
  expect(process.memoryUsage.rss() - before).toBeLessThan(300_000_000)
  expect(await house.run(small)).toEqual({ ok: true })
})

test.each([
  ['a function without end', 'const f = () => f() + 1\nfunction main() { f() }'],
  ['an async function without end', 'const f = async () => { await f() }\nconst main = f'],
  ['lists in lists', 'function main() { let a = []; for (let i = 0; i < 12000; i++) a = [a]; return { a } }'],
  ['JSON in JSON', 'function main() { return { a: JSON.parse("[".repeat(1e5) + "]".repeat(1e5)) } }'],
  ['brackets in the code', `${'('.repeat(45_000)}1${')'.repeat(45_000)}`],
  ['lists in the code', `const a = ${'['.repeat(45_000)}${']'.repeat(45_000)}`],
  ['a result of 5,000 levels', 'function main() { let a = []; for (let i = 0; i < 5000; i++) a = [a]; return { a } }'],
])('what is nested too deeply is refused: %s', async (_what, code) => {
  await using house = codeHouse('javascript', { timeoutMs: 15_000 })
  expect(await house.failureOf(code)).toMatch(/stack overflow|nested/)
  expect(await house.run(small)).toEqual({ ok: true })
})

test('nothing of the server is there', async () => {
  await using house = codeHouse('javascript')
  for (const name of [
    'process',
    'require',
    'fetch',
    'module',
    'Buffer',
    'global',
    'WebAssembly',
    'Worker',
    'Deno',
    'std',
    'os',
    'XMLHttpRequest',
  ])
    expect(await house.run(`const main = () => ({ type: typeof ${name} })`), name).toEqual({ type: 'undefined' })

  const escapes = [
    'this.constructor.constructor("return process")()',
    'console.log.constructor("return process")()',
    'setTimeout.constructor("return globalThis.process.env")()',
    '(async () => {}).constructor("return process")()',
    'Object.getPrototypeOf(function* () {}).constructor("return process")().next()',
    'new Function("return process")()',
    '(0, eval)("process")',
    'params.constructor.constructor("return process")()',
  ]
  for (const escape of escapes)
    expect(await house.failureOf(`async function main({ params }) { return { found: String(await ${escape}) } }`), escape).toMatch(
      /'process' is not defined|cannot read property 'env' of undefined/,
    )
  for (const name of [
    'node:fs',
    'fs',
    '/etc/passwd',
    './code-limits.ts',
    'file:///etc/passwd',
    'https://example.com/x.js',
    'data:text/javascript,1',
  ])
    expect(await house.failureOf(`async function main() { return await import(${JSON.stringify(name)}) }`), name).toContain(
      'could not load module',
    )
})

test('a failure tells nothing about the server', async () => {
  await using house = codeHouse('javascript')
  const code = 'function main() { throw new Error(new Error("x").stack) }'
  expect(await house.failureOf(code)).not.toMatch(/file:|\.ts|node_modules|\/server\//)
  // the same name as the prelude's: its own copy at most
  const found = await house.failureOf('async function main() { const m = await import("prelude.js"); throw Object.keys(m).join() }')
  expect(found).toBe('createDriver')
})

test('prototypes of the server stay clean, whatever the names in a result are', async () => {
  await using house = codeHouse('javascript')
  const code = `
    Object.prototype.polluted = 1
    Array.prototype.polluted = 2
    const main = () => ({ ...JSON.parse('{"__proto__": {"polluted": 3}, "constructor": {"prototype": {"polluted": 4}}}'), toString: 5, list: [] })`
  const result = await house.run(code)

  expect(Object.keys(result)).toEqual(['__proto__', 'constructor', 'toString', 'list'])
  expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
  expect({}).not.toHaveProperty('polluted')
  expect([]).not.toHaveProperty('polluted')
  expect(result.list).toEqual([])
})

test('code that replaces the language harms only itself', async () => {
  await using house = codeHouse('javascript', { timeoutMs: 2_000 })
  const replaced = [
    'JSON.stringify = JSON.parse = () => "{}"',
    'Promise.prototype.then = null',
    'Map.prototype[Symbol.iterator] = null; Array.prototype.sort = Array.prototype.map = null',
    'globalThis.Promise = globalThis.Error = globalThis.Map = undefined',
    'String.prototype.includes = String.prototype.startsWith = () => { throw 1 }',
    'BigInt.prototype.toJSON = () => "stolen"',
    'for (const name of Object.getOwnPropertyNames(globalThis)) try { globalThis[name] = undefined } catch {}',
    'Object.prototype.toJSON = () => "all the same"',
    'Object.defineProperty(Object.prototype, "result", { get() { return 1 }, set() {} })',
    'RegExp.prototype.exec = () => { throw 1 }',
  ]
  for (const code of replaced) {
    const outcome: unknown = await house
      .run(`${code}\nasync function main() { return { id: 7351234567890123459n } }`)
      .catch((cause: unknown) => cause)
    if (outcome instanceof Error) expect(outcome.name, code).toBe('NodeError')
    else expect(outcome, code).toEqual({ id: 7351234567890123459n })
    expect(await house.run('const main = () => ({ list: [...new Map([[1, JSON.stringify({})]])] })')).toEqual({ list: [[1, '{}']] })
  }
})

test('no run finds what another has left', async () => {
  await using house = codeHouse('javascript')
  const code = `
    globalThis.visits = (globalThis.visits ?? 0) + 1
    Array.prototype.seen = (Array.prototype.seen ?? 0) + 1
    var kept = typeof kept === 'undefined' ? 1 : kept + 1
    setTimeout(() => { globalThis.visits = 100 }, 0)
    console.log('secret of one run')
    const main = () => ({ visits, seen: [].seen, kept })`
  for (let run = 0; run < 5; run++) expect(await house.run(code)).toEqual({ visits: 1, seen: 1, kept: 1 })
  expect(await house.failureOf('function main() { throw 1 }')).toBe('1')
})

test('100 MB of prints cost no memory of the server', async () => {
  await using house = codeHouse('javascript', { timeoutMs: 15_000 })
  const before = process.memoryUsage.rss()
  expect(await house.run('function main() { for (let i = 0; i < 1000; i++) console.log("x".repeat(100000)); return { ok: 1 } }')).toEqual({
    ok: 1,
  })
  expect(process.memoryUsage.rss() - before).toBeLessThan(150_000_000)
})

test('a result of 50 MB is refused', async () => {
  await using house = codeHouse('javascript', { timeoutMs: 15_000 })
  expect(await house.failureOf('const main = () => ({ text: "x".repeat(5e7) })')).toMatch(/result is too large|memory/)
})

test.skipIf(process.platform !== 'linux')('an abort ends the code and its thread, and closing ends the rest', async () => {
  const threads = threadIds().length
  const runner = createCodeRunner()
  const control = new AbortController()
  const job = { language: 'javascript', params: {}, signal: control.signal } as const
  const looping = runner.run({ ...job, code: 'function main() { while (true); }' })
  const sleeping = runner.run({ ...job, code: 'const main = () => new Promise((resolve) => setTimeout(resolve, 60000))' })
  await expect.poll(() => threadIds().length).toBe(threads + 2)

  // well into the code
  await pause(300)

  const settled = Promise.allSettled([looping, sleeping])
  control.abort(new Error('the run was canceled'))
  const canceled = { status: 'rejected', reason: { message: 'the run was canceled' } }
  expect(await settled).toMatchObject([canceled, canceled])
  await expect.poll(() => threadIds().length).toBe(threads)
  await expect(runner.run({ ...job, code: small })).rejects.toThrow('the run was canceled')

  const other = runner.run({ ...job, code: 'for (;;);', signal: new AbortController().signal })
  await expect.poll(() => threadIds().length).toBe(threads + 1)
  const [outcome] = await Promise.allSettled([other, runner.close()])
  expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'the code runner is closed' } })
  await expect.poll(() => threadIds().length).toBe(threads)
  await expect(runner.run({ ...job, code: small, signal: new AbortController().signal })).rejects.toThrow('closed')
})

test('20 runs at the same time each get their own answer, those that fail too', async () => {
  await using house = codeHouse('javascript')
  const code =
    'async function main({ params }) { await new Promise((r) => setTimeout(r, 5)); if (params.n % 5 === 0) throw params.n; return { n: params.n } }'
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => house.run(code, { n })))

  for (const [n, outcome] of outcomes.entries())
    expect(outcome).toMatchObject(
      n % 5 === 0 ? { status: 'rejected', reason: { message: String(n) } } : { status: 'fulfilled', value: { n } },
    )
})
