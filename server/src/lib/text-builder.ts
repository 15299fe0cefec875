/**
 * Text that grows by small pieces. Adding to a string keeps every piece alive inside the result;
 * here they are joined now and then, which for a thousand growing answers is most of the memory.
 */
export interface TextBuilder {
  add(piece: string): void
  readonly isEmpty: boolean
  /** All of it; the builder is empty then. */
  take(): string
}

const PIECES_KEPT = 64

export function createTextBuilder(): TextBuilder {
  let text = ''
  let pieces: string[] = []

  return {
    get isEmpty() {
      return text === '' && pieces.length === 0
    },
    add(piece) {
      if (piece === '') return
      pieces.push(piece)
      if (pieces.length < PIECES_KEPT) return
      text += pieces.join('')
      pieces = []
    },
    take() {
      const whole = text + pieces.join('')
      text = ''
      pieces = []
      return whole
    },
  }
}
