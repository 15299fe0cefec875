import { appendFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'
import { nowMicros } from './stamps.ts'

/** Loaded into a measured server with `--import`: notes twice a second how long its event loop was stalled at worst since the last note. */
const file = process.env.BENCH_LOOP_FILE
const RESOLUTION_MS = 10

if (file && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const note = () => {
    appendFileSync(file, `${nowMicros()} ${Math.max(0, delay.max / 1e6 - RESOLUTION_MS)}\n`)
    delay.reset()
  }
  setInterval(note, 500).unref()
}
