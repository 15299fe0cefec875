import { readFile } from 'node:fs/promises'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { setTimeout as wait } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } from 'quickjs-emscripten'
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from 'quickjs-emscripten'
import { codeLimits } from './code-limits.ts'
import type { JavascriptReply, JavascriptRequest } from './javascript-workers.ts'

/** The library of types has it only for browsers. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>
  Memory: new (pages: { initial: number; maximum: number }) => { buffer: ArrayBuffer }
}

/**
 * A thread that runs JavaScript and TypeScript for code nodes, one run at a time, each in a QuickJS of its own: no run finds
 * anything of another, not even by a hole in QuickJS. It does not watch the time: whoever started the thread ends it.
 */
if (!parentPort) throw new Error('this file runs as a worker thread')
const port = parentPort

const prelude = await readFile(new URL('./javascript-prelude.js', import.meta.url), 'utf8')
const wasmModule = await WebAssembly.compile(await readFile(findWasm()))

port.on('message', (request: JavascriptRequest) => {
  void answer(request).then((reply) => port.postMessage(reply))
})

/** The package that holds QuickJS itself belongs to quickjs-emscripten, not to us. */
function findWasm(): string {
  const ours = createRequire(import.meta.url)
  return createRequire(ours.resolve('quickjs-emscripten')).resolve('@jitl/quickjs-wasmfile-release-sync/wasm')
}

async function answer({ code, params, mark }: JavascriptRequest): Promise<JavascriptReply> {
  const stripped = stripTypes(code)
  if ('error' in stripped) return { outcome: JSON.stringify(stripped), isSpent: stripped.isSpent }

  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: Math.floor(codeLimits.javascript.memoryBytes / PAGE_BYTES) })
  const outcome = await run({ source: stripped.source, params, mark }, memory)
  return { outcome, isSpent: memory.buffer.byteLength > SMALL_BYTES }
}

const PAGE_BYTES = 65_536
/** With what this build of QuickJS starts. */
const INITIAL_PAGES = 256
/** The memory of a run that took more is given back at once: with the thread. */
const SMALL_BYTES = 32_000_000

type Stripped = { source: string } | { error: string; line: number; isSpent: boolean }

/** Lines stay where they are. */
function stripTypes(code: string): Stripped {
  try {
    return { source: stripTypeScriptTypes(code) }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) return { error: 'the code cannot be read: it is nested too deeply', line: 0, isSpent: true }
    const line = Number(/^:(\d+)\n/.exec(cause.stack ?? '')?.[1] ?? 0)
    return { error: `SyntaxError: ${cause.message}`, line, isSpent: false }
  }
}

type Job = { source: string; params: string; mark: string }

async function run(job: Job, wasmMemory: object): Promise<string> {
  try {
    // @NOTE the memory is the limit: QuickJS has one of its own, which in WebAssembly counts nearly nothing
    const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, { wasmModule, wasmMemory }))
    return await drive(quickjs.newRuntime({ maxStackSizeBytes: codeLimits.javascript.stackBytes }), job)
  } catch (cause) {
    // what QuickJS did not catch itself: its stack or its memory came to an end in the middle of something
    const reason = 'the code needs too much memory, or has replaced parts of the language'
    return JSON.stringify({ error: cause instanceof RangeError ? 'the code is nested too deeply' : reason })
  }
}

async function drive(runtime: QuickJSRuntime, { source, params, mark }: Job): Promise<string> {
  const vm = runtime.newContext()
  const driver = createDriver(vm, mark)

  const found = evaluate(vm, source)
  if (found.error) driver.call('fail', found.error)
  else driver.call('start', found.value, vm.newString(params))

  for (;;) {
    const { error } = runtime.executePendingJobs()
    if (error) driver.call('fail', error)
    const ms = vm.getNumber(driver.call('next'))
    if (ms < 0) return vm.getString(driver.call('outcome'))
    if (ms === Infinity) return JSON.stringify({ error: 'main never ends: it waits for a promise that nothing resolves' })
    if (ms > 0) await wait(Math.min(ms, LONGEST_MS))
  }
}

/** Node takes a longer wait for none. */
const LONGEST_MS = 1_000_000_000

function createDriver(vm: QuickJSContext, mark: string) {
  const limits = vm.newObject()
  vm.setProp(limits, 'resultChars', vm.newNumber(codeLimits.resultBytes))
  vm.setProp(limits, 'printedChars', vm.newNumber(codeLimits.printedChars))
  const exported = vm.unwrapResult(vm.evalCode(prelude, 'prelude.js', { type: 'module' }))
  const driver = vm.unwrapResult(vm.callFunction(vm.getProp(exported, 'createDriver'), vm.undefined, vm.newString(mark), limits))
  return {
    call: (name: string, ...args: QuickJSHandle[]) => vm.unwrapResult(vm.callFunction(vm.getProp(driver, name), vm.undefined, ...args)),
  }
}

/** A script leaves its main behind, a module exports it; one that does not export it gets that here. */
function evaluate(vm: QuickJSContext, source: string) {
  if (isModule.test(source)) return vm.evalCode(source + EXPORT_MAIN, 'main.js', { type: 'module' })

  const evaluated = vm.evalCode(source, 'main.js')
  return evaluated.error ? evaluated : vm.evalCode("typeof main === 'undefined' ? undefined : main", 'main.js')
}

const isModule = /^[ \t]*(?:export|import)\b/m
const EXPORT_MAIN = "\n;export const localMain = typeof main === 'undefined' ? undefined : main"
