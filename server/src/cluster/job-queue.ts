/**
 * Work that somebody shall do soon: a process of the cluster, any of them. A job is the id of a row and nothing else: the row says
 * what is to be done and whether it still is. So a job that comes twice, or is lost and added again, does no harm.
 */
export interface JobQueue {
  /** Never throws. An id that waits already, or is being handled, is not added a second time. */
  add(id: string): void
  /** From now on this process takes jobs, the oldest first. */
  start(handle: JobHandler): void
  /** From this moment on this process takes nothing more. Resolves when what it has taken is handled; may be called again to wait for that. */
  close(): Promise<void>
}

/** What it throws is reported, and the job counts as handled. */
export type JobHandler = (id: string) => Promise<void>

export type JobQueueOptions = {
  /** The queue's name in the cluster. */
  name: string
  /** How many jobs a process handles at a time. */
  atOnce: number
  onError: (cause: unknown) => void
}
