#!/usr/bin/env node
/**
 * The `coze-plus` command. The sources are TypeScript and run as written, which an old Node cannot do: under one, this file hands over
 * to the Node that `npm ci` put beside it, or says what is missing. So it is plain JavaScript that Node 14 can parse.
 */
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

main()

function main() {
  if (process.features.typescript) return runHere()

  const newerNode = findInstalledNode(here)
  if (newerNode) return runWith(newerNode)

  console.error(
    `coze-plus needs Node 22.18 or newer, this is ${process.version}: install one, or run "npm ci" in the checkout, which brings its own.`,
  )
  process.exitCode = 1
}

async function runHere() {
  const { enableCompileCache } = await import('node:module')
  // @NOTE not the default folder: that one is in the temp folder, where another user of the machine could plant compiled code
  enableCompileCache(join(here, '..', '.cache', 'compiled'))
  await import('../src/cli.ts')
}

/** The Node of the npm package `node`, in the nearest node_modules that has it. */
function findInstalledNode(from) {
  const binary = join(from, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(binary)) return realpathSync(binary) === realpathSync(process.execPath) ? undefined : binary
  return dirname(from) === from ? undefined : findInstalledNode(dirname(from))
}

function runWith(node) {
  // @NOTE the handlers come first: a signal between the child's first words and them would end this process alone
  let child
  const forward = (signal) => child.kill(signal)

  // a terminal sends Ctrl-C to both processes: passing it on as well would be a second one, which means "stop at once"
  process.on('SIGINT', process.stdin.isTTY ? () => undefined : forward)
  process.on('SIGTERM', forward)
  process.on('SIGHUP', forward)

  child = spawn(node, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' })
  child.on('error', (error) => {
    console.error(`coze-plus could not start ${node}: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (code !== null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
