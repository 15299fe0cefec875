import { createBusListeners } from './bus-listeners.ts'
import type { ClusterBus } from './cluster-bus.ts'

/** The bus of a process that shares nothing but, perhaps, a database. */
export function createMemoryBus(onError: (cause: unknown) => void): ClusterBus {
  const listeners = createBusListeners(onError)

  return {
    isShared: false,
    // not before the caller is done, as with every other bus
    publish: (channel, message) => queueMicrotask(() => listeners.hear(channel, message)),
    subscribe: listeners.add,
    async close() {
      listeners.clear()
    },
  }
}
