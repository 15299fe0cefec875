import { untilAborted } from '../../lib/linked-abort.ts'

/** So many at a time; the others wait in the order in which they came. */
export interface Slots {
  /** Rejects with the signal's reason when it aborts before the turn comes; from then on the signal is up to `work`. */
  use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>
}

export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = []
  let free = count

  async function take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (free > 0) {
      free--
      return
    }
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const start = () => resolve(undefined)
    waiting.push(start)
    try {
      await untilAborted(promise, signal)
    } catch (cause) {
      const at = waiting.indexOf(start)
      if (at >= 0) waiting.splice(at, 1)
      // the turn came in the same moment: it is for the next
      else giveBack()
      throw cause
    }
  }

  function giveBack(): void {
    const next = waiting.shift()
    if (next) next()
    else free++
  }

  return {
    async use(signal, work) {
      await take(signal)
      try {
        return await work()
      } finally {
        giveBack()
      }
    },
  }
}
