import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { expect } from 'vitest'

export type VisitOptions = {
  /** 1280 × 800, or 390 × 844. */
  size?: 'desk' | 'phone'
  /** What the browser prefers. */
  language?: 'en' | 'zh'
  theme?: 'light' | 'dark'
}

/** Somebody in front of a fresh browser. */
export type ConsoleVisit = AsyncDisposable & {
  page: Page
  /** Errors in the browser's console so far, exceptions and blocked content included. */
  problems: string[]
  /** An address of the console, such as `/agents`. */
  open(path: string): Promise<void>
}

const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } }
const LOCALES = { en: 'en-US', zh: 'zh-CN' }
const PATIENCE_MS = 10_000

export async function startVisit(
  browser: Browser,
  { url, size = 'desk', language = 'en', theme = 'light' }: VisitOptions & { url: string },
): Promise<ConsoleVisit> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: SIZES[size],
    locale: LOCALES[language],
    colorScheme: theme,
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.stack ?? error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${message.text()} (${message.location().url})`)
  })
  return {
    page,
    problems,
    open: async (path) => void (await page.goto(path)),
    [Symbol.asyncDispose]: () => context.close(),
  }
}

/** `allowed` are for what a test provokes: the browser reports every 401 as an error. */
export function expectNoProblems({ problems }: ConsoleVisit, ...allowed: RegExp[]): void {
  expect(problems.filter((text) => !allowed.some((pattern) => pattern.test(text)))).toEqual([])
}

/** At the sign-in page; waits until the console is there. */
export async function signIn({ page }: ConsoleVisit, { email, password }: { email: string; password: string }): Promise<void> {
  await page.getByLabel(/E-mail|邮箱/).fill(email)
  await page.getByLabel(/^(Password|密码)$/).fill(password)
  await page.getByRole('button', { name: /^(Sign in|登 ?录)$/ }).click()
  await page
    .getByRole('navigation')
    .or(page.getByRole('button', { name: /Open the menu|打开菜单/ }))
    .first()
    .waitFor()
}

/** The page is no wider than the window: nobody scrolls sideways to read. */
export async function expectNoSidewaysScroll({ page }: ConsoleVisit): Promise<void> {
  expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0)
}

/** Keeps a picture in the folder that `SCREENSHOTS` names; nothing without it. */
export async function screenshot({ page }: ConsoleVisit, name: string): Promise<void> {
  const dir = process.env.SCREENSHOTS
  if (!dir) return
  await mkdir(dir, { recursive: true })
  await page.screenshot({ path: join(dir, `${name}.png`), animations: 'disabled' })
}
