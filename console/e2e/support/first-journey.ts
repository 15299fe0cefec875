import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Locator, Page } from 'playwright-core'

export type JourneyStep = {
  name: string
  /** Of the machine alone: a person reads and points as well. */
  tookMs: number
  clicks: number
  /** Characters; what is pasted counts as one. */
  typed: number
}
export type Journey = { steps: JourneyStep[]; answer: string }

const run = promisify(execFile)

/** From the login that the first start has printed to an answer in a terminal, of an agent and with a key that were not there before. */
export async function takeFirstJourney(page: Page, login: { email: string; password: string }): Promise<Journey> {
  const { steps, step, click, paste } = countSteps()
  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const dialog = page.getByRole('dialog')

  await step('sign in', async () => {
    await page.goto('/')
    await paste(page.getByLabel('E-mail'), login.email)
    await paste(page.getByLabel('Password', { exact: true }), login.password)
    await click(button('Sign in'))
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
  })
  await step('make an agent from a template', async () => {
    await click(button('New agent').first())
    await click(page.getByRole('radio', { name: /Translator/ }))
    await click(button('Create'))
    await page.getByRole('heading', { name: 'Translator', level: 1 }).waitFor()
  })
  await step('publish it', async () => {
    await click(button('Publish').first())
    await click(dialog.getByRole('button', { name: 'Publish', exact: true }))
    await button('Call it by API').waitFor()
  })
  await step('get a key', async () => {
    await click(button('Call it by API'))
    await click(button('Make a key for this agent'))
    await click(dialog.getByRole('button', { name: 'Make the key' }))
    await click(button('Use it on this page'))
  })
  const command = await step('copy the call', async () => {
    await click(button('Copy'))
    return page.evaluate<string>('navigator.clipboard.readText()')
  })
  const answer = await step('run it in a terminal', async () => (await run('sh', ['-c', command])).stdout)
  return { steps, answer }
}

function countSteps() {
  const steps: JourneyStep[] = []
  let [clicks, typed] = [0, 0]
  return {
    steps,
    async step<T>(name: string, work: () => Promise<T>): Promise<T> {
      const start = performance.now()
      ;[clicks, typed] = [0, 0]
      const result = await work()
      steps.push({ name, tookMs: performance.now() - start, clicks, typed })
      return result
    },
    async click(target: Locator) {
      clicks++
      await target.click()
    },
    async paste(target: Locator, text: string) {
      clicks++
      typed++
      await target.fill(text)
    },
  }
}
