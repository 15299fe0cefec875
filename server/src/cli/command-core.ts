import { hostname, userInfo } from 'node:os'
import { pino } from 'pino'
import { appendAuditEntry } from '../audit/audit-log.ts'
import type { NewAuditEntry } from '../audit/audit-entry.ts'
import { loadConfig } from '../config.ts'
import { openCore } from '../core.ts'
import type { Core } from '../core.ts'

/** Runs a command's work on an open database and closes it, whatever happens. Commands log only what goes wrong, to standard error. */
export async function withCore(work: (core: Core) => Promise<void>): Promise<void> {
  const core = await openCore(loadConfig(), { logger: pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true })) })
  try {
    await work(core)
  } finally {
    await core.close()
  }
}

/** What a command has changed goes into the audit log, with who ran it on which machine. */
export function recordCommand(core: Core, entry: Omit<NewAuditEntry, 'actor'>): Promise<void> {
  return appendAuditEntry(core, { ...entry, actor: { kind: 'command', address: `${userName()}@${hostname()}` } })
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // in a container a user may have a number only
    return String(process.getuid?.() ?? '')
  }
}

export const print = (text: string) => void process.stdout.write(`${text}\n`)
export const printJson = (value: unknown) => print(JSON.stringify(value, null, 2))

/** Rows as aligned columns under their names; `empty` when there are none. */
export function printTable(rows: Record<string, string>[], empty: string): void {
  const [first] = rows
  if (!first) return print(empty)

  const names = Object.keys(first)
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => (row[name] ?? '').length)))
  const line = (cells: string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd()
  print(line(names.map((name) => name.toUpperCase())))
  for (const row of rows) print(line(names.map((name) => row[name] ?? '')))
}

export const toDate = (ms: number, never: string) => (ms === 0 ? never : new Date(ms).toISOString().slice(0, 19).replace('T', ' '))
