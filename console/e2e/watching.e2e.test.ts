import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { createUser } from '../../server/src/accounts/users.ts'
import { freePort } from '../../server/test/support/free-port.ts'
import { PASSWORD } from '../../server/test/support/test-app.ts'
import { hasNoBrowser } from './support/browser.ts'
import { useConsoleHouse } from './support/console-house.ts'
import { expectNoProblems, expectNoSidewaysScroll, screenshot } from './support/console-visit.ts'
import { expectAccessible } from './support/expect-accessible.ts'

describe.skipIf(hasNoBrowser())('watching what agents do', { timeout: 60_000 }, () => {
  const house = useConsoleHouse()

  const call = async (user: string) => {
    const message = { role: 'user', content: 'Is anybody there?', content_type: 'text', type: 'question' }
    const body = { bot_id: house.app.botId, user_id: user, stream: true, auto_save_history: true, additional_messages: [message] }
    const reply = await house.app.call('POST', '/v3/chat', body)
    expect(reply.status).toBe(200)
  }

  const makeAdmin = async (email: string) => {
    await createUser(house.app.core, { email, password: PASSWORD, role: 'admin' })
    return email
  }

  test('a call made by API is a conversation that can be read and exported', async () => {
    await call('reader')
    await using visit = await house.visitSignedIn('/conversations')
    const { page } = visit
    await page.getByRole('listitem').filter({ hasText: 'reader' }).waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'conversations')
    await page.getByRole('listitem').filter({ hasText: 'reader' }).getByRole('link').click()
    await page.getByText('Is anybody there?').waitFor()
    await page.getByText('Hello there').waitFor()
    await page.getByText(/tokens in/).waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'conversation')

    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export JSON' }).click()])
    expect(JSON.parse(await readFile(await download.path(), 'utf8'))).toMatchObject({ conversation: { end_user: 'reader' } })
    expectNoProblems(visit)
  })

  test('it counts in the usage, as a chart and as a table', async () => {
    await call('counter')
    await using visit = await house.visitSignedIn('/usage')
    const { page } = visit
    await page.getByRole('img', { name: /^Chart: Calls/ }).waitFor()
    await page.locator('.recharts-bar-rectangle path').first().waitFor()
    await page.getByRole('tab', { name: 'By agent' }).click()
    const calls = page
      .getByRole('row', { name: /客服助手/ })
      .getByRole('cell')
      .first()
    expect(Number(await calls.textContent())).toBeGreaterThan(0)
    await expectAccessible(visit)
    await screenshot(visit, 'usage')

    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()])
    expect(await readFile(await download.path(), 'utf8')).toContain('客服助手')
    expectNoProblems(visit)
  })

  test('a model that does not work says why', async () => {
    await using visit = await house.visitSignedIn('/settings/models', { email: await makeAdmin('boss@example.com') })
    const { page } = visit
    await page.getByRole('button', { name: 'Add a model' }).click()
    await page.getByLabel('Name', { exact: true }).fill('nowhere')
    await page.getByLabel('Base URL').fill(`http://127.0.0.1:${await freePort()}/v1`)
    await page.getByLabel('Model of the provider').fill('none')
    await page.getByRole('button', { name: 'Test connection' }).click()
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'model-test')
    await page.getByLabel('Base URL').fill(house.app.provider.baseUrl)
    await page.getByRole('button', { name: 'Test again' }).click()
    await page.getByText(/^It works/).waitFor()
    expectNoProblems(visit)
  })

  test.each(['/conversations', '/usage', '/settings/models', '/settings/users', '/settings/audit', '/settings/status'])(
    '%s in Chinese, dark, on a phone',
    async (path) => {
      await call('phone')
      const email = path.startsWith('/settings') ? await makeAdmin(`admin${path.replaceAll('/', '-')}@example.com`) : undefined
      await using visit = await house.visitSignedIn(path, { email, size: 'phone', language: 'zh', theme: 'dark' })
      await visit.page.getByRole('heading', { level: 1 }).waitFor()
      await visit.page.getByRole('listitem').or(visit.page.getByRole('table')).or(visit.page.getByRole('region')).first().waitFor()
      await expectNoSidewaysScroll(visit)
      await expectAccessible(visit)
      await screenshot(visit, `phone-zh-dark${path.replaceAll('/', '-')}`)
      expectNoProblems(visit)
    },
  )
})
