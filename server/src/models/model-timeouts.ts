export type ModelTimeouts = {
  /** From the call to the first byte of the answer. */
  firstByteMs: number
  /** The same for an answer that is asked for whole: its first byte comes when its last token is there. */
  wholeMs: number
  betweenChunksMs: number
}

export const defaultTimeouts: ModelTimeouts = { firstByteMs: 120_000, wholeMs: 300_000, betweenChunksMs: 60_000 }
