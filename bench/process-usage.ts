import { readdirSync, readFileSync } from 'node:fs'

/** CPU and memory of a process and its descendants, from /proc (Linux). */
export type ProcessUsage = { cpuMs: number; rssMb: number }

export function readProcessUsage(pid: number): ProcessUsage {
  const fields = readProc(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(readProc(`/proc/${pid}/status`))?.[1] ?? 0)
  const own = { cpuMs: (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS, rssMb: rssKb / 1024 }

  return listChildren(pid)
    .map(readProcessUsage)
    .reduce((sum, child) => ({ cpuMs: sum.cpuMs + child.cpuMs, rssMb: sum.rssMb + child.rssMb }), own)
}

/** CPU time that the whole machine has spent, us and strangers. */
export function readMachineCpuMs(): number {
  const [user, nice, system, , , irq, softirq] = readProc('/proc/stat')
    .replace(/^cpu +/, '')
    .split(' ')
    .map(Number)
  return [user, nice, system, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) * TICK_MS
}

/** Watches one process until `stop`, which tells the CPU time since the start and the highest memory seen. */
export function watchProcess(pid: number): { stop: () => { cpuMs: number; peakRssMb: number } } {
  const first = readProcessUsage(pid)
  let peakRssMb = first.rssMb
  const sample = () => {
    const now = readProcessUsage(pid)
    peakRssMb = Math.max(peakRssMb, now.rssMb)
    return now
  }
  const timer = setInterval(sample, 250)

  return {
    stop() {
      clearInterval(timer)
      return { cpuMs: sample().cpuMs - first.cpuMs, peakRssMb }
    },
  }
}

/** USER_HZ is 100 on every mainstream Linux. */
const TICK_MS = 10

function listChildren(pid: number): number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`)
    return tasks.flatMap((task) => readProc(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number))
  } catch {
    return []
  }
}

/** A process may end between two looks: then there is nothing to read. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
