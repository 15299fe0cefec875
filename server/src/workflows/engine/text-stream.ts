/** A text that is still being written. Any number of readers, each from the start, in the pieces it was written in. */
export interface TextStream {
  push(piece: string): void
  end(): void
  /** Readers get the error once they have read what came before it. */
  fail(cause: unknown): void
  pieces(): AsyncGenerator<string>
  /** The whole text, when it is there. */
  text(): Promise<string>
  /** As far as it is there. */
  soFar(): string
}

export function createTextStream(): TextStream {
  const written: string[] = []
  let state: { over: boolean; cause?: unknown } = { over: false }
  let wake = Promise.withResolvers<undefined>()

  function change(next: () => void): void {
    next()
    wake.resolve(undefined)
    wake = Promise.withResolvers()
  }

  async function* pieces(): AsyncGenerator<string> {
    for (let at = 0; ; at++) {
      while (at === written.length) {
        if ('cause' in state) throw state.cause
        if (state.over) return
        await wake.promise
      }
      yield written[at] ?? ''
    }
  }

  return {
    push: (piece) => change(() => piece !== '' && written.push(piece)),
    end: () => change(() => (state = { over: true })),
    fail: (cause) => change(() => (state = { over: true, cause })),
    pieces,
    soFar: () => written.join(''),
    async text() {
      let whole = ''
      for await (const piece of pieces()) whole += piece
      return whole
    },
  }
}
