/**
 * `npx node scripts/three-minute-journey.ts`: what somebody does who has never seen the product, from the start of a fresh server to the
 * answer of an agent of their own in a terminal. Says for each step how long the machine took, and for all of it how long a person
 * would take who knows where to look.
 */
import { startServe } from '../server/test/support/serve-process.ts'
import { startBrowser } from '../console/e2e/support/browser.ts'
import { takeFirstJourney } from '../console/e2e/support/first-journey.ts'
import type { JourneyStep } from '../console/e2e/support/first-journey.ts'
import { readPrintedLogin } from '../console/e2e/support/printed-login.ts'
import { buildConsole } from './build-console.ts'

/** Of the keystroke-level model: think, point and press; and one key. */
const MS_PER_CLICK = 1_350 + 1_100 + 200
const MS_PER_KEY = 280

await buildConsole()
const begin = performance.now()
await using server = await startServe({ ADMIN_PASSWORD: '' })
const login = await readPrintedLogin(server)
const start: JourneyStep = { name: 'start the server', tookMs: performance.now() - begin, clicks: 0, typed: 'npm start'.length }

await using browser = await startBrowser()
const context = await browser.newContext({ baseURL: server.url, locale: 'en-US', permissions: ['clipboard-read', 'clipboard-write'] })
const { steps, answer } = await takeFirstJourney(await context.newPage(), login)

const all = [start, ...steps]
const total = (field: 'tookMs' | 'clicks' | 'typed') => all.reduce((sum, step) => sum + step[field], 0)
for (const { name, tookMs, clicks, typed } of all) console.log(line(name, tookMs, `${clicks} clicks, ${typed} keys`))
console.log(line('all of it', total('tookMs'), `${total('clicks')} clicks, ${total('typed')} keys`))
console.log(line('with a person', total('tookMs') + total('clicks') * MS_PER_CLICK + total('typed') * MS_PER_KEY, 'estimated'))
console.log(answer.trim())

function line(name: string, ms: number, more: string): string {
  return `${name.padEnd(32)} ${(ms / 1000).toFixed(1).padStart(6)} s   ${more}`
}
