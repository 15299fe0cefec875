import { pause } from '../lib/background.ts'
import { isDatabaseUnavailable } from './database.ts'

const RETRY_MS = 500

/** For work that is nobody else's: while the database is away it is done again and again, until `giveUp` aborts. It must bear that. */
export async function retryWhileAway<T>(work: () => Promise<T>, giveUp: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (cause) {
      if (giveUp.aborted || !isDatabaseUnavailable(cause)) throw cause
      await pause(RETRY_MS, giveUp)
    }
  }
}
