import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { untilAborted } from '../../lib/linked-abort.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { encodeParams } from './sandbox-job.ts'
import type { SandboxJob } from './sandbox-job.ts'

/** What a worker is asked and what it answers. */
export type JavascriptRequest = { code: string; params: string; mark: string }
export type JavascriptReply = {
  outcome: string
  /** The thread is not for another run: it is no longer sound, or holds much memory. */
  isSpent: boolean
}

/**
 * Threads with QuickJS inside. They start when they are needed and stay for the next run; whatever does not come to an
 * end, a loop or a regular expression that never matches, ends with its thread.
 */
export function createJavascriptWorkers(): { run(job: SandboxJob): Promise<string>; close(): Promise<void> } {
  const idle = new Set<Worker>()

  async function run({ code, params, signal }: SandboxJob): Promise<string> {
    const mark = randomUUID()
    const request = { code, params: encodeParams(params, (integer) => `${mark}${integer}`), mark }
    const worker = takeIdle() ?? startWorker()
    try {
      const { outcome, isSpent } = await untilAborted(ask(worker, request), signal)
      if (isSpent || idle.size === KEPT_WARM) await worker.terminate()
      else idle.add(worker)
      return outcome.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1')
    } catch (cause) {
      await worker.terminate()
      throw isOutOfMemory(cause) ? new NodeError(nodeErrors.codeFailed, 'the code needs too much memory') : cause
    }
  }

  function takeIdle(): Worker | undefined {
    const [worker] = idle
    if (worker) idle.delete(worker)
    return worker
  }

  function startWorker(): Worker {
    const worker = new Worker(new URL('./javascript-worker.ts', import.meta.url), {
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // the stack is what QuickJS needs of the thread for its own, and more, so that it sees the end of its own first
      resourceLimits: { maxOldGenerationSizeMb: 64, stackSizeMb: 16 },
    })
    worker.unref()
    // who asked it gets the error; one that dies while nobody asks is only gone
    worker.on('error', () => idle.delete(worker))
    return worker
  }

  return {
    run,
    async close() {
      await Promise.all([...idle].map((worker) => worker.terminate()))
      idle.clear()
    },
  }
}

const KEPT_WARM = 2

async function ask(worker: Worker, request: JavascriptRequest): Promise<JavascriptReply> {
  worker.postMessage(request)
  return parseReply(await once(worker, 'message'))
}

/** @NOTE only our own code in the worker can send: the builder's code has nothing but the inside of QuickJS. */
const parseReply = ([reply]: unknown[]): JavascriptReply => reply as JavascriptReply

const isOutOfMemory = (cause: unknown): boolean => cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
