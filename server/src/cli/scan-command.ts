import { createReadStream } from 'node:fs'
import type { Dirent } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { createKeyScan } from '../accounts/key-scan.ts'
import type { FoundKey } from '../accounts/key-scan.ts'
import { AppError } from '../lib/app-error.ts'
import { print, printJson } from './command-core.ts'

/** Needs no database and no network: what a key looks like says whether it is one. */
export const scanCommand = () =>
  new Command('scan')
    .description('Find API keys that were left in files; ends with 1 when there is one')
    .argument('<path...>', 'files and folders; - is standard input')
    .option('--json')
    .action(async (paths: string[], options: { json?: boolean }) => {
      const report: Report = { found: [], notes: [], files: 0 }
      for (const path of paths) await scanPath(report, path)
      show(report, options.json === true)
      if (report.found.length > 0) process.exitCode = 1
    })

type Report = { found: (FoundKey & { path: string })[]; notes: string[]; files: number }

const MAX_BYTES = 50 * 1024 * 1024
const HEAD_BYTES = 8_000

async function scanPath(report: Report, path: string): Promise<void> {
  if (path === '-') return scanStream(report, 'standard input', process.stdin)

  const info = await stat(path).catch(() => undefined)
  if (!info) throw new AppError('not_found', `there is no file or folder ${path}`)
  if (info.isDirectory()) await scanFolder(report, path)
  else await scanFile(report, path)
}

/** Links are not followed: what they lead to is there under its own name, or is not of this folder. */
async function scanFolder(report: Report, folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => {
    report.notes.push(`${folder}: cannot be read`)
    return []
  })
  for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await scanFolder(report, path)
    else if (entry.isFile()) await scanFile(report, path)
  }
}

async function scanFile(report: Report, path: string): Promise<void> {
  const kind = await kindOf(path)
  if (kind === 'unreadable') report.notes.push(`${path}: cannot be read`)
  if (kind === 'too large') report.notes.push(`${path}: not read, it has more than ${MAX_BYTES / 1024 / 1024} MB`)
  if (kind !== 'text') return
  await scanStream(report, path, createReadStream(path, { highWaterMark: 256 * 1024 }))
}

/** A file with a zero byte near its beginning is no text, as for git and grep. */
async function kindOf(path: string): Promise<'text' | 'binary' | 'too large' | 'unreadable'> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size > MAX_BYTES) return 'too large'
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.subarray(0, bytesRead).includes(0) ? 'binary' : 'text'
  } catch {
    return 'unreadable'
  }
}

async function scanStream(report: Report, path: string, stream: NodeJS.ReadableStream): Promise<void> {
  const keys = createKeyScan()
  const keep = (found: FoundKey[]) => report.found.push(...found.map((each) => ({ path, ...each })))
  report.files++
  try {
    // keys are ASCII: each byte may be a character, and columns count bytes
    for await (const piece of stream.setEncoding('latin1')) keep(keys.push(String(piece)))
    keep(keys.end())
  } catch {
    report.notes.push(`${path}: cannot be read`)
  }
}

function show({ found, notes, files }: Report, json: boolean): void {
  if (json) {
    const keys = found.map(({ path, line, column, lastFour }) => ({ path, line, column, key: masked(lastFour) }))
    return printJson({ found: keys, files, notes })
  }
  for (const { path, line, column, lastFour } of found) print(`${path}:${line}:${column} ${masked(lastFour)}`)
  for (const note of notes) process.stderr.write(`${note}\n`)
  print(
    found.length === 0
      ? `No keys in ${count(files, 'file')}.`
      : `${count(found.length, 'key')} in ${count(files, 'file')}: revoke them with \`coze-plus keys revoke\`.`,
  )
}

const masked = (lastFour: string) => `pat_****${lastFour}`

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
