import type { JobQueue, JobQueueOptions } from './job-queue.ts'
import { createJobSlots } from './job-slots.ts'

/** The queue of a process that is alone, or whose jobs are its own. */
export function createMemoryJobQueue(options: Omit<JobQueueOptions, 'name'>): JobQueue {
  const slots = createJobSlots(options)
  return { add: (id) => void slots.take(id), start: slots.start, close: slots.close }
}
