import { expect, describe, test } from 'vitest'
import { buildConsole } from '../../scripts/build-console.ts'
import { startServe } from '../../server/test/support/serve-process.ts'
import { hasNoBrowser, startBrowser } from './support/browser.ts'
import { expectNoProblems, startVisit } from './support/console-visit.ts'
import { takeFirstJourney } from './support/first-journey.ts'
import { readPrintedLogin } from './support/printed-login.ts'

describe.skipIf(hasNoBrowser())('somebody who sees it for the first time', () => {
  test('has an answer in a terminal after a dozen clicks, and needs no documentation for it', { timeout: 120_000 }, async () => {
    await buildConsole()
    await using server = await startServe({ ADMIN_PASSWORD: '' })
    await using browser = await startBrowser()
    await using visit = await startVisit(browser, { url: server.url })

    const { steps, answer } = await takeFirstJourney(visit.page, await readPrintedLogin(server))
    expect(JSON.parse(answer)).toMatchObject({ code: 0, message: { role: 'assistant' } })
    expect(steps.reduce((sum, { clicks }) => sum + clicks, 0)).toBeLessThanOrEqual(13)
    expectNoProblems(visit)
  })
})
