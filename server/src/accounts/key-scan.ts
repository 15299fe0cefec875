import { isWellFormed, lastFourOf } from './api-key-secret.ts'

export type FoundKey = {
  /** From 1 on. */
  line: number
  column: number
  /** Its last four characters are all that may be shown of it. */
  lastFour: string
}

export type KeyScan = {
  /** Keys that end in this piece of the text, or in what was kept of those before. */
  push(piece: string): FoundKey[]
  /** No more comes. */
  end(): FoundKey[]
}

/**
 * Finds keys in a text that comes in pieces, by their format and their checksum alone. A longer run of letters and digits is no key:
 * keys of Coze have no checksum, and half of a hash would look like one.
 */
export function createKeyScan(): KeyScan {
  const at = { line: 1, column: 1 }
  let rest = ''

  const take = (text: string, whole: boolean): FoundKey[] => {
    // what may go on in the next piece waits for it
    const kept = whole ? 0 : (TAIL.exec(text)?.[0].length ?? 0)
    const ready = text.slice(0, text.length - kept)
    rest = text.slice(text.length - kept).slice(-MOST_KEPT)
    const found = [...findIn(ready, at)]
    advance(at, ready)
    // of an endless run only its end is kept: the column goes on all the same
    at.column += kept - rest.length
    return found
  }
  return { push: (piece) => take(rest + piece, false), end: () => take(rest, true) }
}

const CANDIDATE = /(?<![0-9A-Za-z_])pat_[0-9A-Za-z]+(?![0-9A-Za-z_])/g
const TAIL = /[0-9A-Za-z_]+$/
// longer than any key, so that a cut run is not taken for one
const MOST_KEPT = 200

type Position = { line: number; column: number }

function* findIn(text: string, from: Position): Generator<FoundKey> {
  const place = { ...from }
  let done = 0
  for (const { 0: secret, index } of text.matchAll(CANDIDATE)) {
    if (!isWellFormed(secret)) continue
    advance(place, text.slice(done, index))
    done = index
    yield { ...place, lastFour: lastFourOf(secret) }
  }
}

function advance(place: Position, text: string): void {
  let start = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', start)) {
    place.line++
    place.column = 1
    start = at + 1
  }
  place.column += text.length - start
}
