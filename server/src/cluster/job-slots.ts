import type { JobHandler, JobQueueOptions } from './job-queue.ts'

/** The jobs of this process: a bounded number at a time, the others wait in the order in which they came. */
export interface JobSlots {
  start(handle: JobHandler): void
  /** Resolves when the job has been handled; with false when it will not be, because of `close`. A job that is here already is the same one. */
  take(id: string): Promise<boolean>
  /** Resolves when what is being handled is done. */
  close(): Promise<void>
}

export function createJobSlots({ atOnce, onError }: Pick<JobQueueOptions, 'atOnce' | 'onError'>): JobSlots {
  const waiting = new Map<string, PromiseWithResolvers<boolean>>()
  const running = new Map<string, Promise<boolean>>()
  let handler: JobHandler | undefined
  let isClosed = false

  function fill(): void {
    for (const [id, { resolve }] of waiting) {
      if (!handler || running.size >= atOnce) return
      waiting.delete(id)
      running.set(id, run(handler, id))
      resolve(running.get(id) ?? false)
    }
  }

  function run(handle: JobHandler, id: string): Promise<boolean> {
    const handled = (async () => handle(id))().catch(onError)
    return handled
      .finally(() => {
        running.delete(id)
        fill()
      })
      .then(() => true)
  }

  return {
    start(handle) {
      handler = handle
      fill()
    },
    take(id) {
      const known = running.get(id) ?? waiting.get(id)?.promise
      if (known) return known
      if (isClosed) return Promise.resolve(false)

      const place = Promise.withResolvers<boolean>()
      waiting.set(id, place)
      fill()
      return place.promise
    },
    async close() {
      isClosed = true
      for (const { resolve } of waiting.values()) resolve(false)
      waiting.clear()
      await Promise.all(running.values())
    },
  }
}
