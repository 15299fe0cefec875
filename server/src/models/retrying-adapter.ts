import { pause } from '../lib/background.ts'
import { ModelError } from './model-adapter.ts'
import type { AnswerOptions, ModelAdapter, ModelFailure, ModelRequest, ModelResult } from './model-adapter.ts'

export type RetryOptions = {
  retries?: number
  /** Before the first retry; it doubles for each that follows. */
  firstPauseMs?: number
  /** A provider that asks for a longer pause is not asked again. */
  maxRetryAfterMs?: number
  /** 0…1; spreads the retries of many chats that failed together. */
  random?: () => number
}

/** What may be different a moment later. Wrong keys and refused requests stay wrong. */
const TRANSIENT = new Set<ModelFailure>(['rate_limit', 'unavailable', 'unreachable', 'cut', 'timeout'])

/** Tries again what failed for the moment, as long as nobody has seen a chunk of the answer. */
export function createRetryingAdapter(adapter: ModelAdapter, options: RetryOptions = {}): ModelAdapter {
  const { retries = 2, firstPauseMs = 300, maxRetryAfterMs = 10_000, random = Math.random } = options

  async function attempt(request: ModelRequest, answerOptions: AnswerOptions, failures: number): Promise<ModelResult> {
    const delivery = { begun: false }
    const onChunk: AnswerOptions['onChunk'] = (chunk) => {
      delivery.begun = true
      answerOptions.onChunk(chunk)
    }
    try {
      return await adapter.answer(request, { ...answerOptions, onChunk })
    } catch (cause) {
      answerOptions.signal.throwIfAborted()
      if (delivery.begun || failures >= retries || !isTransient(cause, maxRetryAfterMs)) throw cause
      await pause(pauseMs(cause, failures), answerOptions.signal)
      answerOptions.signal.throwIfAborted()
      return attempt(request, answerOptions, failures + 1)
    }
  }

  /** Half of it is fixed, half is chance; never shorter than the provider asks for. */
  function pauseMs(cause: ModelError, failures: number): number {
    const backoff = firstPauseMs * 2 ** failures
    return Math.max(backoff * (0.5 + random() / 2), cause.retryAfterMs ?? 0)
  }

  return { answer: (request, answerOptions) => attempt(request, answerOptions, 0) }
}

function isTransient(cause: unknown, maxRetryAfterMs: number): cause is ModelError {
  return cause instanceof ModelError && TRANSIENT.has(cause.kind) && (cause.retryAfterMs ?? 0) <= maxRetryAfterMs
}
