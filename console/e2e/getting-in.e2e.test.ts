import { describe, expect, test } from 'vitest'
import { PASSWORD, startTestApp } from '../../server/test/support/test-app.ts'
import { buildConsole } from '../../scripts/build-console.ts'
import { hasNoBrowser, startBrowser } from './support/browser.ts'
import { useConsoleHouse } from './support/console-house.ts'
import { expectNoProblems, expectNoSidewaysScroll, screenshot, signIn, startVisit } from './support/console-visit.ts'
import { expectAccessible } from './support/expect-accessible.ts'

const ADA = { email: 'user1@example.com', password: PASSWORD }
const REFUSED = /status of 401/
const PATIENT = { timeout: 60_000 }

describe.skipIf(hasNoBrowser())('getting into the console', PATIENT, () => {
  const house = useConsoleHouse()

  test('a deep link leads to the sign-in, and from there to the page; signing out ends it', async () => {
    await using visit = await house.visit()
    const { page } = visit
    await visit.open('/conversations?page=2#end')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.title()).toBe('Sign in · Coze Plus')
    await expectAccessible(visit)
    await screenshot(visit, 'sign-in')

    await signIn(visit, ADA)
    expect(page.url()).toBe(`${house.app.url}/conversations?page=2#end`)
    await page.getByRole('heading', { name: 'Conversations', level: 1 }).waitFor()
    await expectAccessible(visit)

    await page.getByRole('button', { name: /^Account/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await visit.open('/agents')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expectNoProblems(visit)
  })

  test('a wrong password is named as such, and what was typed stays', async () => {
    await using visit = await house.visit()
    const { page } = visit
    await visit.open('/')
    await page.getByLabel('E-mail').fill(ADA.email)
    await page.getByLabel('Password', { exact: true }).fill('not it at all')
    await page.keyboard.press('Enter')

    expect(await page.getByRole('alert').textContent()).toContain('E-mail or password is wrong')
    expect(await page.getByLabel('E-mail').inputValue()).toBe(ADA.email)
    await expectAccessible(visit)
    await screenshot(visit, 'sign-in-wrong')
    expectNoProblems(visit, REFUSED)
  })

  test('a link that would lead to another site after the sign-in does not', async () => {
    await using visit = await house.visit()
    await visit.open('/sign-in?to=%2F%5Cevil.example')
    await signIn(visit, ADA)
    expect(visit.page.url()).toBe(`${house.app.url}/agents`)
  })

  test('when the session ends in the middle of something, a sign-in in place goes on with it', async () => {
    await using visit = await house.visitSignedIn('/password')
    const { page } = visit
    await page.getByLabel('Current password').fill('wrong one')
    await page.getByLabel('New password', { exact: true }).fill('battery staple')
    await page.getByLabel('New password again').fill('battery staple')
    await page.context().clearCookies()
    await page.getByRole('button', { name: 'Change password' }).click()

    const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
    await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await expectAccessible(visit)
    await screenshot(visit, 'session-ended')
    await dialog.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('The current password is wrong').waitFor()
    expect(await page.getByLabel('New password again').inputValue()).toBe('battery staple')
    expectNoProblems(visit, REFUSED, /status of 422/)
  })

  test('the password can be changed', async () => {
    const { email } = await house.app.makeUser()
    await using visit = await house.visitSignedIn('/password', { email })
    const { page } = visit
    await page.getByLabel('Current password').fill(PASSWORD)
    await page.getByLabel('New password', { exact: true }).fill('battery staple')
    await page.getByLabel('New password again').fill('battery')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('The two new passwords differ').waitFor()
    await page.getByLabel('New password again').fill('battery staple')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('The password has been changed.').waitFor()
    await screenshot(visit, 'password')

    const reply = await house.app.call('POST', '/api/console/sign-in', { email, password: 'battery staple' }, { apiKey: '' })
    expect(reply.status).toBe(200)
    expectNoProblems(visit)
  })

  test('languages: the browser’s at first, then the chosen one, also after a reload', async () => {
    await using visit = await house.visit({ language: 'zh' })
    const { page } = visit
    await visit.open('/agents')
    await page.getByRole('heading', { name: '登录' }).waitFor()
    await screenshot(visit, 'sign-in-zh')
    await signIn(visit, ADA)
    await page.getByRole('heading', { name: '智能体', level: 1 }).waitFor()
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN')
    await screenshot(visit, 'agents-zh')

    await page.getByRole('button', { name: '语言' }).click()
    await page.getByRole('menuitem', { name: 'English' }).click()
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
    expectNoProblems(visit)
  })

  test('themes: the system’s at first, then the chosen one, also after a reload', async () => {
    await using visit = await house.visitSignedIn('/agents', { theme: 'dark' })
    const { page } = visit
    const theme = () => page.getAttribute('html', 'data-theme')
    expect(await theme()).toBe('dark')
    await expectAccessible(visit)
    await screenshot(visit, 'agents-dark')

    await page.getByRole('button', { name: 'Theme' }).click()
    await page.getByRole('menuitem', { name: 'Light' }).click()
    await expect.poll(theme).toBe('light')
    await page.reload()
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
    expect(await theme()).toBe('light')
    await screenshot(visit, 'agents')
    expectNoProblems(visit)
  })

  test('on a phone the navigation is a drawer', async () => {
    await using visit = await house.visitSignedIn('/agents', { size: 'phone' })
    const { page } = visit
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
    await expectNoSidewaysScroll(visit)
    await screenshot(visit, 'agents-phone')
    await page.getByRole('button', { name: 'Open the menu' }).click()
    await page.getByRole('dialog').getByRole('link', { name: 'Usage' }).waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'menu-phone')
    await page.getByRole('dialog').getByRole('link', { name: 'Usage' }).click()
    await page.getByRole('heading', { name: 'Usage', level: 1 }).waitFor()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expectNoProblems(visit)
  })

  test('by keyboard alone: the first stop skips the navigation', async () => {
    await using visit = await house.visitSignedIn('/agents')
    const { page } = visit
    await page.reload()
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('content')
  })

  test('an address that is no page says so', async () => {
    await using visit = await house.visitSignedIn('/no/such/page')
    await visit.page.getByRole('heading', { name: 'There is no such page', level: 2 }).waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'not-found')
    expectNoProblems(visit)
  })
})

describe.skipIf(hasNoBrowser())('the first minutes of an installation', PATIENT, () => {
  test('where there is no user, the first visitor makes the administrator', async () => {
    await buildConsole()
    await using app = await startTestApp()
    for (const table of ['user_session', 'user_account', 'user'] as const) await app.core.db.deleteFrom(table).execute()
    await using browser = await startBrowser()
    await using visit = await startVisit(browser, { url: app.url })
    const { page } = visit
    await visit.open('/agents')
    await page.getByRole('heading', { name: 'Welcome to Coze Plus' }).waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'set-up')

    await page.getByLabel('E-mail').fill('boss@example.com')
    await page.getByLabel('Password', { exact: true }).fill('short')
    await page.getByRole('button', { name: 'Make the account' }).click()
    await expect.poll(() => page.getByLabel('Password', { exact: true }).getAttribute('aria-invalid')).toBe('true')
    await page.getByLabel('Password', { exact: true }).fill('correct horse')
    await page.getByRole('button', { name: 'Make the account' }).click()
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
    expect((await app.call('GET', '/api/console/state', undefined, { apiKey: '' })).body.data).toMatchObject({
      has_users: true,
      user: null,
    })
    expectNoProblems(visit)
  })
})
