import { ModelError } from './model-adapter.ts'

/** Ends a call whose provider is silent for too long, or whose signal aborts. */
export type SilenceWatch = {
  /** Aborts for either reason. */
  signal: AbortSignal
  /** Something came. */
  touch: () => void
  /** To be called once the call is over. */
  stop: () => void
}

export function watchSilence({ signal, firstMs, betweenMs }: { signal: AbortSignal; firstMs: number; betweenMs: number }): SilenceWatch {
  const controller = new AbortController()
  let touched = false
  let timer = setTimeout(() => controller.abort(notBegun(firstMs)), firstMs)
  const onAbort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', onAbort)

  return {
    signal: controller.signal,
    touch() {
      if (touched) {
        timer.refresh()
        return
      }
      touched = true
      clearTimeout(timer)
      timer = setTimeout(() => controller.abort(fellSilent(betweenMs)), betweenMs)
    },
    stop() {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    },
  }
}

export const notBegun = (ms: number) => new ModelError('timeout', `the model did not begin to answer within ${ms / 1000} s`)
export const fellSilent = (ms: number) => new ModelError('timeout', `the model sent nothing for ${ms / 1000} s`)
