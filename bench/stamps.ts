/**
 * What the fake model says and the load generator checks. Every piece of answer text is a stamp `@<stream>.<index>.<µs> `, so the
 * one who reads it knows that nothing is missing, repeated, out of order or from another stream, and how long it was under way.
 */
export type StampReader = {
  /** Takes the next piece of text; it may hold a part of a stamp or many of them. */
  read: (text: string) => void
  /** Microseconds from the model's write to the reading, one for each stamp so far. */
  readonly delays: number[]
  /** The first thing that was wrong. */
  readonly fault: string | undefined
}

/** The clock that all processes of one Linux machine share. */
export function nowMicros(): number {
  const [seconds, nanos] = process.hrtime()
  return seconds * 1e6 + Math.round(nanos / 1000)
}

export function formatStamp(stream: number, index: number): string {
  return `@${stream}.${index}.${nowMicros()} `
}

export function createStampReader(): StampReader {
  const delays: number[] = []
  let fault: string | undefined
  let stream: string | undefined
  let rest = ''

  const take = (stamp: string, now: number) => {
    const [from, index, micros] = stamp.split('.')
    stream ??= from
    if (!stamp.startsWith('@') || from !== stream) fault ??= 'foreign text'
    else if (Number(index) !== delays.length) fault ??= Number(index) < delays.length ? 'repeated chunk' : 'lost chunk'
    delays.push(Math.max(1, now - Number(micros)))
  }

  return {
    delays,
    get fault() {
      return fault
    },
    read(text) {
      const all = rest + text
      const now = nowMicros()
      let from = 0
      for (let to = all.indexOf(' '); to !== -1; to = all.indexOf(' ', from)) {
        take(all.slice(from, to), now)
        from = to + 1
      }
      rest = all.slice(from)
    },
  }
}
