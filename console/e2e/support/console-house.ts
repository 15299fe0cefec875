import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { buildConsole } from '../../../scripts/build-console.ts'
import { says } from '../../../server/test/support/fake-provider.ts'
import { PASSWORD, startTestApp } from '../../../server/test/support/test-app.ts'
import type { TestApp, TestAppOptions } from '../../../server/test/support/test-app.ts'
import { startBrowser } from './browser.ts'
import { signIn, startVisit } from './console-visit.ts'
import type { ConsoleVisit, VisitOptions } from './console-visit.ts'

/** The built console, served by the real server, in a real browser. */
export type ConsoleHouse = {
  /** The server: its first user is `user1@example.com`, who owns the bot `123456` on the scripted model. */
  app: TestApp
  visit(options?: VisitOptions): Promise<ConsoleVisit>
  /** A visit of somebody who has signed in, the first user unless said otherwise, at an address. */
  visitSignedIn(path: string, options?: VisitOptions & { email?: string }): Promise<ConsoleVisit>
}

/** One server and one browser for all tests of a `describe`. Every visit has cookies and storage of its own. */
export function useConsoleHouse(options: TestAppOptions = {}): ConsoleHouse {
  let running: { app: TestApp; browser: Browser } | undefined
  const getRunning = () => {
    if (!running) throw new Error('the house is there only inside of a test')
    return running
  }

  beforeAll(async () => {
    await buildConsole()
    const [app, browser] = await Promise.all([startTestApp(options), startBrowser()])
    running = { app, browser }
  })
  beforeEach(() => {
    getRunning().app.provider.script = options.script ?? says('Hello', ' there')
  })
  afterAll(async () => {
    await running?.browser.close()
    await running?.app[Symbol.asyncDispose]()
  })

  const visit = (visitOptions?: VisitOptions) => startVisit(getRunning().browser, { ...visitOptions, url: getRunning().app.url })
  return {
    get app() {
      return getRunning().app
    },
    visit,
    async visitSignedIn(path, { email = 'user1@example.com', ...visitOptions } = {}) {
      const visitor = await visit(visitOptions)
      await visitor.open(path)
      await signIn(visitor, { email, password: PASSWORD })
      return visitor
    },
  }
}
