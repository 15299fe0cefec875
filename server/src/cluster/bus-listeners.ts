import type { BusListener } from './cluster-bus.ts'

/** Who in this process listens to which channel. */
export function createBusListeners(onError: (cause: unknown) => void) {
  const listeners = new Map<string, Set<BusListener>>()

  return {
    hear(channel: string, message: string): void {
      for (const listener of listeners.get(channel) ?? []) {
        try {
          listener(message)
        } catch (cause) {
          onError(cause)
        }
      }
    },
    /** A function that is given twice listens twice. */
    add(channel: string, listener: BusListener): { stop(): void } {
      const own: BusListener = (message) => listener(message)
      const all = listeners.get(channel) ?? new Set()
      listeners.set(channel, all.add(own))
      return { stop: () => void all.delete(own) }
    },
    clear: () => listeners.clear(),
  }
}
