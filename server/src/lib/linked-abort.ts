/** A controller that aborts with the signal as well. `release` lets go of the signal, which may live much longer. */
export function linkAbort(signal: AbortSignal | null | undefined): { control: AbortController; release(): void } {
  const control = new AbortController()
  const follow = () => control.abort(signal?.reason)
  signal?.addEventListener('abort', follow, { once: true })
  if (signal?.aborted) follow()
  return { control, release: () => signal?.removeEventListener('abort', follow) }
}

/** The promise, or the signal's reason as soon as it aborts: what becomes of the promise then matters no more. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const fail = () => reject(signal.reason)
  signal.addEventListener('abort', fail, { once: true })
  if (signal.aborted) fail()
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', fail)
  }
}
