/**
 * What processes count together: calls within a minute, and runs that go on at the same time. One step each, so never more than the
 * limit, however many ask at once.
 */
export interface Limits {
  /** Takes one of `limit` calls of the current minute, of which all processes have the same idea. Rejects with `unavailable` while nobody can count. */
  take(name: string, limit: number): Taken | Promise<Taken>
  /**
   * Takes one of `limit` slots and holds it until `release`, or until this process is gone for LEASE_MS. A holder that has one keeps
   * it. False when none is free. Rejects with `unavailable` while nobody can count.
   */
  acquire(name: string, holder: string, limit: number): Promise<boolean>
  /** Holds a slot for what is going on in any case, free or not. Never rejects. */
  adopt(name: string, holder: string): Promise<void>
  /** From now on it is somebody else's: here it is held only for as long as it is there. */
  handOver(name: string, holder: string): void
  /** Whoever holds it. Never rejects: what cannot be told now is forgotten within LEASE_MS. */
  release(name: string, holder: string): Promise<void>
  close(): Promise<void>
}

export type Taken = {
  isTaken: boolean
  /** Of this minute, after this one. */
  remaining: number
  /** Until the next minute. */
  resetMs: number
}

export const WINDOW_MS = 60_000
export const LEASE_MS = 15_000
export const RENEW_EVERY_MS = 5_000
