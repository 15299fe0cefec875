import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeHouse } from '../../../test/support/code-house.ts'
import { cannotRun } from '../../../test/support/find-program.ts'
import { runPython } from './python-sandbox.ts'

const cannotRunPython = cannotRun('bwrap', 'python3')

describe.skipIf(cannotRunPython)('Python', () => {
  test.each([
    ['async def main(args: Args) -> Output:\n    ret: Output = {"out": args.params["name"] + "!"}\n    return ret'],
    ['def main(args):\n    return {"out": args.params["name"] + "!"}'],
    ['main = lambda args: {"out": args.params.get("name") + "!"}'],
    ['async def main(args: Args) -> Output:\n    return Output(out=f"{args.params[\'name\']}!")'],
    ['class Main:\n    async def __call__(self, args):\n        return {"out": args.params["name"] + "!"}\nmain = Main()'],
    ['async def end():\n    return "!"\nasync def main(args):\n    return {"out": args.params["name"] + await end()}'],
    ['import asyncio\nasync def main(args):\n    await asyncio.sleep(0.01)\n    return {"out": args.params["name"] + "!"}'],
    [
      'async def main(args):\n    from asyncio import gather, sleep\n    await gather(sleep(0.01), sleep(0.01))\n    return {"out": args.params["name"] + "!"}',
    ],
  ])('takes %s', async (code) => {
    await using house = codeHouse('python')
    expect(await house.run(code, { name: 'Ada 🚀' })).toEqual({ out: 'Ada 🚀!' })
  })

  test('the standard library is there', async () => {
    await using house = codeHouse('python')
    const code = `
from __future__ import annotations
import base64, collections, csv, dataclasses, datetime, decimal, hashlib, io, itertools, json, math, random, re, statistics, string, time, typing
import urllib.parse, uuid, zoneinfo
from xml.etree import ElementTree

@dataclasses.dataclass
class Item:
    name: str
    count: int = 0

async def main(args: Args) -> Output:
    return {
        "item": dataclasses.asdict(Item(**args.params["item"])),
        "hash": hashlib.sha256(b"x").hexdigest()[:8],
        "date": datetime.datetime.fromtimestamp(0, datetime.timezone.utc).isoformat(),
        "found": re.findall(r"\\d+", "a1b22"),
        "xml": ElementTree.fromstring("<a><b>1</b></a>").find("b").text,
        "quoted": urllib.parse.quote("a b/ä"),
        "mean": statistics.mean([1, 2]),
    }`
    expect(await house.run(code, { item: { name: 'x' } })).toEqual({
      item: { name: 'x', count: 0 },
      hash: '2d711642',
      date: '1970-01-01T00:00:00+00:00',
      found: ['1', '22'],
      xml: '1',
      quoted: 'a%20b/%C3%A4',
      mean: 1.5,
    })
  })

  test('integers of 19 digits come and go unharmed, at any depth', async () => {
    await using house = codeHouse('python')
    const ids = { id: 7351234567890123459n, list: [-9223372036854775808n, 1, { deep: 9007199254740993n }], text: '7351234567890123459' }
    const code = 'def main(args):\n    return {**args.params, "next": args.params["id"] + 1, "half": 0.5, "whole": 2.0}'

    expect(await house.run(code, ids)).toEqual({ ...ids, next: 7351234567890123460n, half: 0.5, whole: 2 })
  })

  test('texts stay what they are: unicode, half characters, line separators, nul', async () => {
    await using house = codeHouse('python')
    const texts = {
      han: '构建输出对象 🧑‍🚀',
      half: '\ud83d',
      lines: 'a\u2028b\u2029c',
      nul: 'a\u0000b',
      'a key "with" \\ signs': '</script>',
    }
    expect(await house.run('def main(args):\n    return {**args.params, "same": len(args.params["half"]) == 1}', texts)).toEqual({
      ...texts,
      same: true,
    })
  })

  test('both languages see the time zone of the server', async () => {
    await using python = codeHouse('python')
    await using javascript = codeHouse('javascript')
    const minutes = await python.run('import time\ndef main(args):\n    return {"west": time.localtime(0).tm_gmtoff // -60}')
    expect(minutes).toEqual(await javascript.run('const main = () => ({ west: new Date(0).getTimezoneOffset() })'))
  })

  test.each([
    ['def main(args):\n    x = None\n    return x["y"]', "TypeError: 'NoneType' object is not subscriptable (line 3)"],
    ['def inner():\n    raise ValueError("内")\n\nasync def main(args):\n    inner()', 'ValueError: 内 (line 2)'],
    ['import json\ndef main(args):\n    return json.loads("{")', /^JSONDecodeError: Expecting property name .* \(line 3\)$/],
    ['raise KeyError("at the top")', "KeyError: 'at the top' (line 1)"],
    ['def main(args):\n    return {', "SyntaxError: '{' was never closed (line 2)"],
    ['workflow_code_py\n\nasync def main(args):\n    return {}', "NameError: name 'workflow_code_py' is not defined (line 1)"],
    ['x = 1', 'there is no function main: the code must define async def main(args: Args) -> Output'],
    ['main = 5', 'there is no function main: the code must define async def main(args: Args) -> Output'],
    ['def main():\n    return {}', /^TypeError: main\(\) takes 0 positional arguments but 1 was given$/],
    ['def main(args):\n    return [1]', 'main must return an object, not a list'],
    ['def main(args):\n    return "text"', 'main must return an object, not a string'],
    ['def main(args):\n    pass', 'main must return an object, not nothing'],
    ['def main(args):\n    return {"x": {1, 2}}', 'TypeError: the result holds a set, which is no JSON'],
    ['def main(args):\n    return {"x": main}', 'TypeError: the result holds a function, which is no JSON'],
    ['def main(args):\n    return {(1, 2): 3}', /^TypeError: keys must be str/],
    ['def main(args):\n    x = {}\n    x["x"] = x\n    return x', 'ValueError: Circular reference detected'],
    ['def main(args):\n    return {"x": float("nan")}', /^ValueError: Out of range float values are not JSON compliant/],
    ['import sys\ndef main(args):\n    sys.exit("enough")', 'SystemExit: enough (line 3)'],
    ['def main(args):\n    raise KeyboardInterrupt', 'KeyboardInterrupt (line 2)'],
    [
      'class Odd(Exception):\n    def __str__(self): raise self\ndef main(args):\n    raise Odd',
      'the code raised something that cannot be shown',
    ],
    ['def main(args):\n    return {"x": input()}', 'EOFError: EOF when reading a line (line 2)'],
    ['import asyncio\nasync def main(args):\n    await asyncio.get_event_loop().create_future()', /^the code ran longer than 1\.5 seconds/],
    ['async def main(args):\n    await __import__("asyncio").sleep(1)', /^RuntimeError: no running event loop/],
    ['import os\ndef main(args):\n    os._exit(0)', /^Python ended before main returned \(exit code 0\)$/],
    ['import os\ndef main(args):\n    os.abort()', /^Python ended before main returned \(exit code 134\)$/],
  ])('%s fails with words for its builder', async (code, message) => {
    await using house = codeHouse('python', { timeoutMs: 1_500 })
    expect(await house.failureOf(code)).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
  })

  test.each([
    'curses',
    'multiprocessing',
    'threading',
    'socket',
    'pty',
    'resource',
    'fcntl',
    'requests',
    'pip',
    'yaml',
    'os.path, socket',
    'socket.x as y',
  ])('import %s is refused', async (modules) => {
    await using house = codeHouse('python')
    const name = modules.split(', ').at(-1)?.split('.')[0] ?? ''
    const message = `ImportError: the module ${name} is not available in code nodes`

    expect(await house.failureOf(`\nimport ${modules}\ndef main(args):\n    return {}`)).toBe(`${message} (line 2)`)
    expect(await house.failureOf(`def main(args):\n    if False:\n        from ${name}.sub import x\n    return {}`)).toBe(
      `${message} (line 3)`,
    )
  })

  test('a failure shows the end of what was printed', async () => {
    await using house = codeHouse('python')
    const code =
      'import sys\ndef main(args):\n    print("got", args.params)\n    print("to stderr", file=sys.stderr)\n    raise ValueError("no")'
    expect(await house.failureOf(code, { a: [1] })).toBe("ValueError: no (line 5)\nprinted before: got {'a': [1]}\nto stderr")
  })

  test('prints do not mix with the result', async () => {
    await using house = codeHouse('python')
    const code =
      'import os, sys\ndef main(args):\n    print(\'{"result": 1}\')\n    os.write(1, b"x")\n    os.write(2, b"y")\n    sys.__stdout__.write("z")\n    return {"ok": True}'
    expect(await house.run(code)).toEqual({ ok: true })
  })

  test('params of more than 4 MB and results of more than 1 MB are refused, less is not', async () => {
    await using house = codeHouse('python')
    const echo = 'def main(args):\n    text = args.params["text"]\n    return {"length": len(text), "out": text[:args.params["keep"]]}'

    expect(await house.run(echo, { text: 'x'.repeat(3_900_000), keep: 900_000 })).toEqual({ length: 3_900_000, out: 'x'.repeat(900_000) })
    expect(await house.failureOf(echo, { text: 'x'.repeat(4_000_000), keep: 0 })).toBe('the inputs of the code have more than 4 MB of JSON')
    expect(await house.failureOf(echo, { text: '构'.repeat(500_000), keep: 500_000 })).toContain('the result is too large')
  })
})

describe('a server that cannot run Python says what it lacks', () => {
  const job = { code: 'def main(args):\n    return {}', params: {}, timeoutMs: 1_000, signal: new AbortController().signal }

  test('bubblewrap', async () => {
    await expect(runPython(job, ['/nowhere'])).rejects.toMatchObject({
      code: 305000002,
      message: 'Python code nodes need bwrap in /nowhere: install the package bubblewrap on the server',
    })
  })

  test('python3', async () => {
    await using dir = await programs({ bwrap: '' })
    await expect(runPython(job, [dir.path])).rejects.toThrow('need python3')
  })

  test('leave to make namespaces', async () => {
    await using dir = await programs({ bwrap: 'echo "bwrap: No permissions to create a new namespace" >&2; exit 1', python3: '' })
    await expect(runPython(job, [dir.path])).rejects.toThrow(
      'the sandbox for Python cannot start on the server: No permissions to create a new namespace. docs/code-nodes.md says what it needs',
    )
  })

  test('a Python that works', async () => {
    await using dir = await programs({
      bwrap: 'cat >/dev/null; echo "something" >&2; echo "ImportError: no json" >&2; exit 3',
      python3: '',
    })
    await expect(runPython(job, [dir.path])).rejects.toThrow('Python ended before main returned (exit code 3): ImportError: no json')
  })
})

async function programs(scripts: Record<string, string>): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'programs-'))
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(path, name), `#!/bin/sh\n${script}\n`)
    await chmod(join(path, name), 0o755)
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
