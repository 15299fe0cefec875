/** Something that waits for one who calls it. @NOTE a call that comes while it does not wait is remembered: the next wait ends at once. */
export type Wakeable = { wake(): void; /** Resolves when it is called, or when `ms` are over. */ next(ms?: number): Promise<void> }

export function createWakeable(): Wakeable {
  let pending = false
  let resolve: (() => void) | undefined

  return {
    wake() {
      pending = true
      resolve?.()
      resolve = undefined
    },
    async next(ms) {
      if (!pending) {
        await new Promise<void>((done) => {
          const timer = ms === undefined ? undefined : setTimeout(done, ms)
          resolve = () => {
            clearTimeout(timer)
            done()
          }
        })
      }
      resolve = undefined
      pending = false
    },
  }
}
