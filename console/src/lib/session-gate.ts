type Gate = { promise: Promise<boolean>; open(isRenewed: boolean): void }

let gate: Gate | undefined
const listeners = new Set<() => void>()

/**
 * For requests whose session has ended: resolves when the person has signed in again (true: ask once more) or has given up (false).
 * Whoever shows the sign-in is told through `onSessionEnded`; without such a listener there is nobody to wait for.
 */
export function untilSignedIn(): Promise<boolean> {
  if (listeners.size === 0) return Promise.resolve(false)
  if (!gate) {
    gate = createGate()
    for (const listener of listeners) listener()
  }
  return gate.promise
}

/** All requests that wait go on, or fail. */
export function endSessionWait(isRenewed: boolean): void {
  gate?.open(isRenewed)
  gate = undefined
}

/** Answers how to stop listening. */
export function onSessionEnded(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

function createGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  return { promise, open: resolve }
}
