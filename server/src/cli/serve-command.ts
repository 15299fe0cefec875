import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Command } from 'commander'
import { pino } from 'pino'
import { createApp } from '../app.ts'
import { loadConfig } from '../config.ts'
import type { Config } from '../config.ts'
import { openCore } from '../core.ts'
import { listen } from '../http/listen.ts'
import { firstRun } from './first-run.ts'
import type { FirstRun } from './first-run.ts'
import { print } from './command-core.ts'

const LOG_FLUSH_MS = 500
// less than the logger writes at once
const LOG_BUFFER_BYTES = 16_000
const SETTLED_MS = 1_500

export const serveCommand = () => new Command('serve').description('Start the server').action(serve)

async function serve(): Promise<void> {
  const config = loadConfig()
  const log = createLog(config.logLevel)
  const core = await openCore(config, { logger: log.logger })
  let first: FirstRun | undefined
  try {
    first = await firstRun(core)
    const app = await createApp(core)
    const listeners = await listen(app.http, config)
    announce(config, first)
    releaseStartupMemory()

    await stopSignal()
    log.logger.info('stopping: live chats may end first')
    await Promise.all([listeners.close(), app.close()])
  } catch (cause) {
    // they are shown only once: not even a port in use may swallow them
    if (first) announceFirstRun(config, first)
    throw cause
  } finally {
    await core.close()
    log.close()
  }
}

/** Lines are collected for up to half a second: a write for each few requests costs more than their lines. */
function createLog(level: string) {
  const destination = pino.destination({ dest: 1, sync: false, minLength: LOG_BUFFER_BYTES })
  const flushing = setInterval(() => destination.flush(), LOG_FLUSH_MS)
  return {
    logger: pino({ level }, destination),
    close() {
      clearInterval(flushing)
      destination.flushSync()
    },
  }
}

/** Starting leaves tens of megabytes behind that an idle server would keep for good: one thorough collection gives them back. */
function releaseStartupMemory(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc')
    runInNewContext("gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })")
  }, SETTLED_MS).unref()
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const onSignal = () => {
      if (asked) process.exit(1)
      asked = true
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

function announce(config: Config, first: FirstRun | undefined): void {
  print('')
  print(`  Coze Plus is running at ${config.publicUrl}`)
  print(`  API reference          ${config.publicUrl}/docs/`)
  if (first) announceFirstRun(config, first)
  print('')
}

function announceFirstRun(config: Config, { email, generatedPassword, apiKey, botId }: FirstRun): void {
  print(`  Console login          ${email}${generatedPassword === undefined ? ' (the password you set)' : `  ${generatedPassword}`}`)
  if (apiKey === undefined) return
  print(`  API key                ${apiKey}`)
  print('  These are shown only this once. Try it:')
  print('')
  print(`curl ${config.publicUrl}/v3/chat -H 'Authorization: Bearer ${apiKey}' \\`)
  print(`  -H 'Content-Type: application/json' -d '{"bot_id": ${botId}, "query": "Hello, what can you do?"}'`)
}
