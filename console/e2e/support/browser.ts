import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'
import { cannotRun, findPrograms } from '../../../server/test/support/find-program.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** For `describe.skipIf(hasNoBrowser())`. Never true in CI: there the tests fail instead. */
export const hasNoBrowser = (): boolean => NAMES.every((name) => cannotRun(name))

/** The browser of this machine, without a window. */
export async function startBrowser(): Promise<Browser> {
  const [executablePath] = NAMES.flatMap(findPrograms)
  if (executablePath === undefined) throw new Error(`no browser: install one of ${NAMES.join(', ')}`)
  return chromium.launch({ executablePath, args: ['--disable-dev-shm-usage'] })
}
