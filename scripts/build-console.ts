/**
 * Builds the web console into `console/dist` when it is missing or older than its sources. `npm start`, `npm run build` and the
 * end-to-end tests call it; several at once build once, and a server that runs meanwhile never sees half a build.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const consoleDir = fileURLToPath(new URL('../console', import.meta.url))
const distDir = join(consoleDir, 'dist')
const stampFile = join(distDir, '.built-from')
const cacheDir = join(consoleDir, '.cache')

const LOCK_POLL_MS = 200
/** A build takes seconds: whoever has held the lock for this long is gone. */
const LOCK_STALE_MS = 120_000

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = await buildConsole()
  if (report) console.log(report)
}

/** Answers what the build said, or nothing when there was nothing to build. Throws with the output of the build when it fails. */
export async function buildConsole(): Promise<string | undefined> {
  if (isBuiltFrom(hashSources())) return undefined

  await using _lock = await takeLock()
  // of the sources as they are now: whoever held the lock may have built just these
  const hash = hashSources()
  return isBuiltFrom(hash) ? undefined : await build(hash)
}

function isBuiltFrom(hash: string): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash
}

/** Of contents, not of times: a checkout gives every file the time of now. */
function hashSources(): string {
  const files = globSync(['src/**/*', 'public/**/*', 'build/**/*', '*.{html,json,ts}', '../package-lock.json'], {
    cwd: consoleDir,
    withFileTypes: true,
  })
  const hash = createHash('sha256')
  for (const path of files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .sort()) {
    if (!/\.test\.tsx?$/.test(path)) hash.update(path.slice(consoleDir.length)).update('\0').update(readFileSync(path)).update('\0')
  }
  return hash.digest('hex')
}

async function build(hash: string): Promise<string> {
  const fresh = join(cacheDir, 'dist')
  const old = join(cacheDir, 'old-dist')
  const report = await runVite(fresh)
  await compress(join(fresh, 'assets'))
  await writeFile(join(fresh, '.built-from'), hash)

  await rm(old, { recursive: true, force: true })
  if (existsSync(distDir)) await rename(distDir, old)
  await rename(fresh, distDir)
  await rm(old, { recursive: true, force: true })
  return report
}

async function runVite(outDir: string): Promise<string> {
  const cli = fileURLToPath(new URL('./bin/vite.js', import.meta.resolve('vite/package.json')))
  // tests and old shells have a NODE_ENV of their own, and Vite would build React for that one
  const env = { ...process.env, NODE_ENV: 'production', CONSOLE_OUT_DIR: outDir }
  const vite = spawn(process.execPath, [cli, 'build', '--logLevel', 'warn', consoleDir], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr] = await Promise.all([text(vite.stdout), text(vite.stderr), once(vite, 'close')])
  if (vite.exitCode !== 0) throw new Error(`the console cannot be built:\n${stdout}${stderr}`)
  return `console built: ${stdout.trim()}${stderr.trim() && `\n${stderr.trim()}`}`
}

/** Once here, so that no request pays for it. */
async function compress(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!/\.(js|css|svg|json|wasm)$/.test(name)) continue
    const bytes = await readFile(join(dir, name))
    await writeFile(join(dir, `${name}.gz`), gzipSync(bytes, { level: 9 }))
    await writeFile(join(dir, `${name}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }))
  }
}

/** One build at a time on this checkout, over all processes. */
async function takeLock(): Promise<AsyncDisposable> {
  const lock = join(cacheDir, 'build.lock')
  await mkdir(cacheDir, { recursive: true })
  for (;;) {
    try {
      await mkdir(lock)
      return { [Symbol.asyncDispose]: () => rm(lock, { recursive: true, force: true }) }
    } catch {
      const age = await stat(lock).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      )
      if (age > LOCK_STALE_MS) await rm(lock, { recursive: true, force: true })
      await sleep(LOCK_POLL_MS)
    }
  }
}
