import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeHouse, descendants } from '../../../test/support/code-house.ts'
import { cannotRun } from '../../../test/support/find-program.ts'
import { pause } from '../../lib/background.ts'
import { createCodeRunner } from './code-runner.ts'

const small = 'def main(args):\n    return {"ok": True}'
/** Lines of the body of main. */
const mainOf = (...lines: string[]) => ['import os, sys, ctypes, time', 'def main(args):', ...lines.map((line) => `    ${line}`)].join('\n')

const cannotRunPython = cannotRun('bwrap', 'python3')

describe.skipIf(cannotRunPython)('Python that takes too much', () => {
  test.each([
    ['a loop', mainOf('while True: pass')],
    ['a loop before main', 'while True: pass'],
    ['sleep', mainOf('time.sleep(60)')],
    ['a regular expression', mainOf('import re', 're.match("(a+)+$", "a" * 40 + "b")')],
    ['work inside of the language', mainOf('x = 7 ** 10 ** 8')],
    ['catching what ends it', mainOf('while True:', '    try:', '        time.sleep(1)', '    except BaseException: pass')],
    [
      'ignoring signals',
      mainOf(
        'import signal',
        'for s in range(1, 32):',
        '    try: signal.signal(s, signal.SIG_IGN)',
        '    except (OSError, ValueError): pass',
        'while True: pass',
      ),
    ],
    ['stopping itself', mainOf('os.kill(os.getpid(), 19)')],
    ['a loop in what is raised', 'class Odd(Exception):\n    def __str__(self):\n        while True: pass\ndef main(args):\n    raise Odd'],
    ['a loop in the result', 'class Odd(dict):\n    def items(self):\n        while True: pass\ndef main(args):\n    return Odd(a=1)'],
    [
      'a loop while cleaning up',
      'import asyncio\nasync def main(args):\n    while True:\n        try: await asyncio.sleep(60)\n        except BaseException: pass',
    ],
  ])('%s ends with its time, and nothing of it is left', async (_what, code) => {
    await using house = codeHouse('python', { timeoutMs: 1_000 })
    expect(await house.failureOf(code)).toBe('the code ran longer than 1 seconds and was ended')
    expect(descendants()).toEqual([])
    expect(await house.run(small)).toEqual({ ok: true })
  })

  test.each([
    ['a list', mainOf('x = []', 'while True: x.append(list(range(1000)))')],
    ['small things', mainOf('x = {}', 'for i in range(10 ** 9): x[i] = [i]')],
    ['one text', mainOf('x = "x"', 'while True: x += x')],
    ['one buffer', mainOf('x = bytearray(2 ** 31)')],
    ['a mapping', mainOf('import mmap', 'x = mmap.mmap(-1, 2 ** 30)')],
    ['a large integer', mainOf('x = 1 << (1 << 33)')],
    ['prints', 'class Long:\n    def __str__(self): return "x" * 2 ** 30\ndef main(args):\n    print(Long())'],
  ])('memory ends at its limit: %s', async (_what, code) => {
    await using house = codeHouse('python', { timeoutMs: 15_000 })
    expect(await house.failureOf(code)).toMatch(/MemoryError|Cannot allocate memory|too many digits/)
  })

  test('what is nested too deeply fails', async () => {
    await using house = codeHouse('python')
    expect(await house.failureOf('def main(args):\n    return main(args)')).toMatch(/^RecursionError/)
    expect(await house.failureOf(mainOf('x = []', 'for i in range(100000): x = [x]', 'return {"x": x}'))).toMatch(/^RecursionError/)
    expect(
      await house.failureOf(mainOf('x = []', 'for i in range(1500): x = [x]', 'sys.setrecursionlimit(5000)', 'return {"x": x}')),
    ).toContain('nested')
    expect(await house.failureOf(`x = ${'('.repeat(40_000)}${')'.repeat(40_000)}`)).toMatch(/SyntaxError|MemoryError|RecursionError/)
  })

  test('a crash of Python is a failure of the code', async () => {
    await using house = codeHouse('python')
    expect(await house.failureOf(mainOf('ctypes.string_at(0)'))).toBe('Python ended before main returned (exit code 139)')
    expect(await house.run(small)).toEqual({ ok: true })
  })
})

describe.skipIf(cannotRunPython)('Python that looks for a way out', () => {
  test('it starts no process and no thread', async () => {
    await using house = codeHouse('python')
    const bomb = ['made = 0', 'try:', '    while True:', '        if os.fork() == 0: time.sleep(60)', '        made += 1']
    expect(await house.run(mainOf(...bomb, 'except OSError as e: return {"made": made, "error": e.strerror}'))).toEqual({
      made: 0,
      error: 'Operation not permitted',
    })

    const failures = [
      'os.posix_spawn(sys.executable, [sys.executable], {})',
      '__import__("subprocess").run(["/bin/true"])',
      'os.system("true") == 0 or exec("raise OSError(1)")',
      '__import__("_thread").start_new_thread(print, ())',
      '__import__("concurrent.futures").futures.ThreadPoolExecutor().submit(print)',
    ]
    for (const each of failures) expect(await house.failureOf(mainOf(each)), each).toMatch(/PermissionError|can't start new thread|OSError/)
    // clone, clone3, vfork by their numbers, past everything that Python knows
    const numbers = process.arch === 'arm64' ? [220, 435] : [56, 57, 58, 435]
    for (const number of numbers)
      expect(await house.run(mainOf(`return {"made": ctypes.CDLL(None).syscall(${number}, 17, 0, 0, 0, 0)}`)), String(number)).toEqual({
        made: -1,
      })
  })

  test('it sees no file of the server and writes none', async () => {
    await using house = codeHouse('python')
    const dir = await mkdtemp(join(tmpdir(), 'data-'))
    await writeFile(join(dir, 'master.key'), 'the secret of the server')
    const places = [
      dir,
      import.meta.dirname,
      process.cwd(),
      '/etc/passwd',
      '/etc/shadow',
      '/proc/1/environ',
      '/proc/self',
      '/sys',
      '/root',
      '/home',
      '/var',
      '/run',
      '/usr/src',
      '/usr/bin/env',
      '/dev/mem',
      '/dev/sda',
    ]
    const code = mainOf('return {p: os.path.exists(p) for p in args.params["places"]}')
    expect(await house.run(code, { places })).toEqual(Object.fromEntries(places.map((place) => [place, false])))
    await rm(dir, { recursive: true })

    const write = mainOf(
      'done = []',
      'for p in ["/x", "/tmp/x", "/dev/x", "/dev/shm/x", "/usr/lib/x", "/usr/x", "/prelude.py", "/var/tmp/x"]:',
      '    try: open(p, "w").write("x"); done.append(p)',
      '    except OSError: pass',
      'return {"written": done}',
    )
    expect(await house.run(write)).toEqual({ written: [] })
    expect(existsSync('/usr/lib/x')).toBe(false)
  })

  test('it knows nothing of the server’s environment, users and processes', async () => {
    await using house = codeHouse('python')
    const code = mainOf(
      'return {"env": sorted(os.environ), "uid": os.getuid(), "pid": os.getpid() < 10, "host": os.uname().nodename, "argv": sys.argv}',
    )
    expect(await house.run(code)).toEqual({
      env: ['HOME', 'LANG', 'OPENBLAS_NUM_THREADS', 'PATH', 'PWD', 'TZ'],
      ...{ uid: 65534, pid: true, host: 'code', argv: ['/prelude.py'] },
    })
    expect(await house.failureOf(mainOf('raise ValueError(__import__("traceback").format_exc() + str(sys.path))'))).not.toMatch(
      /workflows|node_modules/,
    )
  })

  test('it reaches no network, not even this machine', async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    let callers = 0
    server.on('connection', () => callers++)
    await using house = codeHouse('python')

    const attempts = [
      `__import__("socket").create_connection(("127.0.0.1", ${port}), 1)`,
      `__import__("urllib.request").request.urlopen("http://127.0.0.1:${port}/", timeout=1)`,
      '__import__("socket").socket(1).connect("/run/docker.sock")',
      '__import__("socket").getaddrinfo("example.com", 80)',
    ]
    for (const attempt of attempts)
      expect(await house.failureOf(mainOf(attempt)), attempt).toMatch(/Operation not permitted|Name or service|Temporary failure/)
    expect(
      await house.run(mainOf('return {"fd": ctypes.CDLL(None).syscall(args.params["socket"], 2, 1, 0)}'), {
        socket: process.arch === 'arm64' ? 198 : 41,
      }),
    ).toEqual({ fd: -1 })
    expect(callers).toBe(0)
    server.close()
  })

  test('memory that the limit does not count is not to be had', async () => {
    await using house = codeHouse('python')
    expect(await house.failureOf(mainOf('os.memfd_create("x")'))).toContain('Operation not permitted')
    const numbers = process.arch === 'arm64' ? [194, 97, 117, 425] : [29, 272, 101, 425, 0x40000000 + 57]
    for (const number of numbers)
      expect(
        await house.run(mainOf(`return {"got": ctypes.CDLL(None, use_errno=True).syscall(${number}, 0, 4096, 0o1600)}`)),
        String(number),
      ).toEqual({ got: -1 })
  })

  test('limits cannot be raised', async () => {
    await using house = codeHouse('python')
    const code = mainOf(
      'r = sys.modules["resource"]',
      'raised = []',
      'for which in [r.RLIMIT_AS, r.RLIMIT_NPROC, r.RLIMIT_FSIZE, r.RLIMIT_CPU, r.RLIMIT_NOFILE]:',
      '    try: r.setrlimit(which, (-1, -1)); raised.append(which)',
      '    except (ValueError, OSError): pass',
      'return {"raised": raised}',
    )
    expect(await house.run(code)).toEqual({ raised: [] })
  })
})

describe.skipIf(cannotRunPython)('Python and the server', () => {
  test('100 MB of prints cost the server nothing', async () => {
    await using house = codeHouse('python', { timeoutMs: 15_000 })
    const before = process.memoryUsage.rss()
    const prints = [
      'for i in range(1000): print("x" * 100000)',
      'for i in range(1000): os.write(1, b"x" * 100000); os.write(2, b"x" * 100000)',
      'return {"ok": True}',
    ]
    expect(await house.run(mainOf(...prints))).toEqual({ ok: true })
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000)
  })

  test('a result of 50 MB is refused, also where the code writes it past the prelude', async () => {
    await using house = codeHouse('python', { timeoutMs: 15_000 })
    expect(await house.failureOf(mainOf('return {"x": "x" * 50_000_000}'))).toContain('the result is too large')

    const flood = mainOf(
      'for fd in range(64):',
      '    try:',
      '        for i in range(500): os.write(fd, b"x" * 100_000)',
      '    except OSError: pass',
      'return {"ok": True}',
    )
    expect(await house.failureOf(flood)).toContain('the result has more than 1 MB of JSON')
    const forged = mainOf(
      'for fd in range(3, 64):',
      '    try: os.write(fd, b\'{"result": [1], "error": 5}\')',
      '    except OSError: pass',
      'os._exit(0)',
    )
    expect(await house.failureOf(forged)).toBe('main must return an object, not a list')
  })

  test('an abort ends the code and everything of it, and closing ends the rest', async () => {
    const runner = createCodeRunner()
    const control = new AbortController()
    const job = { language: 'python', params: {}, signal: control.signal } as const
    const looping = runner.run({ ...job, code: mainOf('while True: pass') })
    const sleeping = runner.run({ ...job, code: mainOf('time.sleep(60)') })
    // two of bubblewrap and Python itself, for each
    await expect.poll(() => descendants().length).toBe(6)
    await pause(200)

    const settled = Promise.allSettled([looping, sleeping])
    control.abort(new Error('the run was canceled'))
    const canceled = { status: 'rejected', reason: { message: 'the run was canceled' } }
    expect(await settled).toMatchObject([canceled, canceled])
    expect(descendants()).toEqual([])

    const other = runner.run({ ...job, code: mainOf('time.sleep(60)'), signal: new AbortController().signal })
    await expect.poll(() => descendants().length).toBe(3)
    const [outcome] = await Promise.allSettled([other, runner.close()])
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'the code runner is closed' } })
    expect(descendants()).toEqual([])
  })

  test('20 runs at the same time each get their own answer, those that fail too', async () => {
    await using house = codeHouse('python')
    const code = mainOf('if args.params["n"] % 5 == 0: raise ValueError(args.params["n"])', 'return {"n": args.params["n"]}')
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => house.run(code, { n })))

    for (const [n, outcome] of outcomes.entries())
      expect(outcome).toMatchObject(
        n % 5 === 0 ? { status: 'rejected', reason: { message: `ValueError: ${n} (line 3)` } } : { status: 'fulfilled', value: { n } },
      )
  })
})
