import type { Clock } from '../lib/clock.ts'
import { WINDOW_MS } from './limits.ts'
import type { Limits } from './limits.ts'

/** For a process that is alone: what it holds ends with it. */
export function createMemoryLimits(clock: Clock): Limits {
  const windows = new Map<string, number>()
  const slots = new Map<string, Set<string>>()
  let window = 0

  /** A minute is over for everybody at once: what was counted in it is forgotten. */
  function turn(now: number): void {
    const current = Math.floor(now / WINDOW_MS)
    if (current === window) return
    window = current
    windows.clear()
  }

  function holdersOf(name: string): Set<string> {
    const holders = slots.get(name) ?? new Set()
    slots.set(name, holders)
    return holders
  }

  return {
    take(name, limit) {
      const now = clock()
      turn(now)
      const used = windows.get(name) ?? 0
      const isTaken = used < limit
      if (isTaken) windows.set(name, used + 1)
      return { isTaken, remaining: Math.max(0, limit - used - (isTaken ? 1 : 0)), resetMs: WINDOW_MS - (now % WINDOW_MS) }
    },
    async acquire(name, holder, limit) {
      const holders = holdersOf(name)
      if (!holders.has(holder) && holders.size >= limit) return false
      holders.add(holder)
      return true
    },
    async adopt(name, holder) {
      holdersOf(name).add(holder)
    },
    handOver: () => undefined,
    async release(name, holder) {
      const holders = slots.get(name)
      holders?.delete(holder)
      if (holders?.size === 0) slots.delete(name)
    },
    close: async () => undefined,
  }
}
