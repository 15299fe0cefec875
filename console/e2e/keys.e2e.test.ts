import { describe, expect, test } from 'vitest'
import { createUser } from '../../server/src/accounts/users.ts'
import { PASSWORD } from '../../server/test/support/test-app.ts'
import { hasNoBrowser } from './support/browser.ts'
import { useConsoleHouse } from './support/console-house.ts'
import { expectNoProblems, expectNoSidewaysScroll, screenshot } from './support/console-visit.ts'
import type { ConsoleVisit } from './support/console-visit.ts'
import { expectAccessible } from './support/expect-accessible.ts'

describe.skipIf(hasNoBrowser())('keys with limits', { timeout: 60_000 }, () => {
  const house = useConsoleHouse()

  const chat = async (apiKey: string) => {
    const message = { role: 'user', content: 'Hello?', content_type: 'text', type: 'question' }
    const body = { bot_id: house.app.botId, user_id: 'ada', stream: true, auto_save_history: true, additional_messages: [message] }
    return (await house.app.call('POST', '/v3/chat', body, { apiKey })).status
  }
  const read = async (apiKey: string) =>
    (await house.app.call('GET', `/v1/conversations?bot_id=${house.app.botId}`, undefined, { apiKey })).status

  test('a key is made with a policy, refused by it, edited, rotated and disabled; usage and audit log tell of it', async () => {
    await using visit = await house.visitSignedIn('/keys')
    const { page } = visit
    const apiKey = await makeLimitedKey(visit)
    expect([await chat(apiKey), await read(apiKey)]).toEqual([200, 403])

    const row = page.getByRole('listitem').filter({ hasText: 'shop backend' })
    await row.getByText('Only: Chat · 1 agent · 60 calls a minute · 100K tokens a day').waitFor()
    await row.getByRole('button', { name: 'Edit shop backend' }).click()
    await page.getByRole('button', { name: /Limits/ }).click()
    await page.getByRole('checkbox', { name: /^Read/ }).check()
    await page.getByLabel('Addresses').fill('127.0.0.0/8\n10.0.0.0/99')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('“10.0.0.0/99” is no address or range').waitFor()
    await screenshot(visit, 'key-edit-refused')
    await page.getByLabel('Addresses').fill('127.0.0.0/8')
    await page.getByLabel('Name', { exact: true }).press('Enter')
    await row.getByText(/Only: Chat, Read · 1 agent · from 127\.0\.0\.0\/8/).waitFor()
    expect([await chat(apiKey), await read(apiKey)]).toEqual([200, 200])

    const rotated = await rotate(visit)
    await row.getByText(`The earlier secret …${apiKey.slice(-4)} is valid until`).waitFor()
    expect([await read(apiKey), await read(rotated)]).toEqual([200, 200])
    await screenshot(visit, 'keys')

    await row.getByRole('button', { name: 'Disable shop backend' }).click()
    await page.getByRole('button', { name: 'Disable key' }).click()
    await row.getByText('Disabled', { exact: true }).waitFor()
    expect([await read(apiKey), await read(rotated)]).toEqual([401, 401])
    await row.getByRole('button', { name: 'Enable shop backend' }).click()
    await row.getByText('Active', { exact: true }).waitFor()
    expect(await read(rotated)).toBe(200)
    expect(await page.content()).not.toContain(rotated)

    await row.getByRole('link', { name: 'Usage of shop backend' }).click()
    await page.getByText(`Only the key shop backend …${rotated.slice(-4)}`).waitFor()
    const calls = page.getByRole('definition').first()
    expect(await calls.textContent()).toBe('2')
    expectNoProblems(visit, /status of 422/)
    await expectInAuditLog(['Key enabled', 'Key disabled', 'Key rotated', 'Key changed', 'Key made'])
  })

  async function makeLimitedKey(visit: ConsoleVisit): Promise<string> {
    const { page } = visit
    const only = (group: string) => page.getByRole('radiogroup', { name: group }).getByText('Only these').click()
    await page.getByRole('button', { name: 'New API key' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('shop backend')
    await screenshot(visit, 'key-new')
    await page.getByRole('button', { name: /No limits/ }).click()
    await only('Actions')
    await page.getByRole('checkbox', { name: /^Chat/ }).check()
    await only('Agents')
    await page.getByRole('combobox', { name: 'Agents' }).fill('客服')
    await page.getByTitle('客服助手').click()
    await page.getByLabel('Calls per minute').fill('60')
    await page.getByLabel('Tokens per day').fill('100000')
    await page.getByText('Only: Chat · 1 agent').waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'key-policy')
    await page.getByRole('button', { name: 'Make the key' }).click()
    return takeSecret(visit)
  }

  async function rotate(visit: ConsoleVisit): Promise<string> {
    const { page } = visit
    await page.getByRole('button', { name: 'Rotate shop backend' }).click()
    await page.getByText('for 1 hour').click()
    await screenshot(visit, 'key-rotate')
    await page.getByRole('button', { name: 'Make a new secret' }).click()
    await page.getByText(/^The old secret, pat_\S+, is valid until/).waitFor()
    await screenshot(visit, 'key-rotated')
    return takeSecret(visit)
  }

  async function takeSecret({ page }: ConsoleVisit): Promise<string> {
    const secret = await page.getByLabel('The new key').inputValue()
    expect(secret).toMatch(/^pat_/)
    await page.getByRole('button', { name: 'I have copied it' }).click()
    await page.getByLabel('The new key').waitFor({ state: 'detached' })
    return secret
  }

  /** Newest first. */
  async function expectInAuditLog(actions: string[]): Promise<void> {
    const { email } = await createUser(house.app.core, { email: 'boss@example.com', password: PASSWORD, role: 'admin' })
    await using visit = await house.visitSignedIn('/settings/audit?action=key.', { email })
    const { page } = visit
    const rows = page.getByRole('row').filter({ hasText: 'user1@example.com' })
    await rows.first().waitFor()
    const shown = await rows.allTextContents()
    expect(shown.map((text) => actions.find((action) => text.includes(action)))).toEqual(actions)
    await expectAccessible(visit)
    await screenshot(visit, 'audit')
    await rows
      .first()
      .getByRole('button', { name: /^Details/ })
      .click()
    await page.getByRole('dialog').getByText('key.update').waitFor()
    await screenshot(visit, 'audit-entry')
    expectNoProblems(visit)
  }

  test('a policy in Chinese, dark, on a phone', async () => {
    await using visit = await house.visitSignedIn('/keys', { size: 'phone', language: 'zh', theme: 'dark' })
    const { page } = visit
    await screenshot(visit, 'phone-zh-dark-keys')
    await page.getByRole('button', { name: '编辑 test' }).click()
    await page.getByRole('button', { name: /限制/ }).click()
    await page.getByRole('radiogroup', { name: '智能体' }).getByText('仅限所选').click()
    await page.getByText(/未选择任何智能体/).waitFor()
    await screenshot(visit, 'phone-zh-dark-key-policy')
    await expectNoSidewaysScroll(visit)
    await expectAccessible(visit)
    await screenshot(visit, 'phone-zh-dark-key-policy')
    expectNoProblems(visit)
  })
})
