/** Begins the work when somebody first waits for it. */
export function lazily<T>(work: () => Promise<T>): PromiseLike<T> {
  let begun: Promise<T> | undefined
  return {
    then(onDone, onFailed) {
      begun ??= work()
      return begun.then(onDone, onFailed)
    },
  }
}
