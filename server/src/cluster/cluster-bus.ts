/**
 * What the processes of the cluster tell each other while they live: that a run has something new, that one is to be stopped. A message
 * is said once, to whoever listens then, and may be lost; what must not be lost is a row of the database, and a message only says
 * that somebody should look at it now.
 */
export interface ClusterBus {
  /** Never throws and never waits. Every listener of the channel hears it, those of this process too, in the order in which it is said. */
  publish(channel: string, message: string): void
  /** From now on. What a listener throws is reported. */
  subscribe(channel: string, listener: BusListener): { stop(): void }
  /** False while others may not hear what is said here, or are not heard: then look often. */
  readonly isShared: boolean
  /** Nothing is heard any more. May be called again. */
  close(): Promise<void>
}

export type BusListener = (message: string) => void
