import { describe, expect, test } from 'vitest'
import { answers, wait } from '../../server/test/support/fake-provider.ts'
import { PASSWORD } from '../../server/test/support/test-app.ts'
import { openAdminConsole } from '../../server/test/support/console-client.ts'
import { hasNoBrowser } from './support/browser.ts'
import { useConsoleHouse } from './support/console-house.ts'
import { expectNoProblems, expectNoSidewaysScroll, screenshot } from './support/console-visit.ts'
import type { ConsoleVisit } from './support/console-visit.ts'
import { expectAccessible } from './support/expect-accessible.ts'

const PATIENT = { timeout: 120_000 }

describe.skipIf(hasNoBrowser())('when the connection or the server fails', PATIENT, () => {
  const house = useConsoleHouse()

  test('a session that ends while an agent is edited: after a sign-in on the page the edit is saved', async () => {
    const botId = await house.app.makeBot(house.app.userId, { profile: { name: 'Long day' } })
    await using visit = await house.visitSignedIn(`/agents/${botId}`)
    const { page } = visit
    await page.getByLabel('Description').fill('before')
    await untilSaved(visit)
    await page.context().clearCookies()
    await page.getByLabel('Description').fill('typed after the session had ended')

    const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
    await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await dialog.getByRole('button', { name: 'Sign in', exact: true }).click()
    await untilSaved(visit)
    expect(await page.getByLabel('Description').inputValue()).toBe('typed after the session had ended')
    await page.reload()
    await page.getByRole('heading', { name: 'Long day', level: 1 }).waitFor()
    expect(await page.getByLabel('Description').inputValue()).toBe('typed after the session had ended')
    expectNoProblems(visit, /status of 401/)
  })

  test('offline while an answer is written: it says so, and goes on where it was, with nothing twice', async () => {
    house.app.provider.script = answers(['One, ', wait(300), 'two, ', wait(3_000), 'three.'])
    const botId = await house.app.makeBot(house.app.userId, { profile: { name: 'Counter' } })
    await using visit = await house.visitSignedIn(`/agents/${botId}`)
    const { page } = visit
    await page.getByLabel('Question', { exact: true }).fill('Count')
    await page.keyboard.press('Enter')
    await page.getByText('One, two,').waitFor()

    await page.context().setOffline(true)
    await page.getByText(/^You are offline/).waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'offline')
    await page.context().setOffline(false)
    await page.getByText('One, two, three.', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Copy the answer' }).waitFor()
    await page.getByText(/^You are offline/).waitFor({ state: 'hidden' })
    expectNoProblems(visit, /ERR_INTERNET_DISCONNECTED/)
  })

  test.each([
    { status: 500, says: 'The server has met a problem' },
    { status: 503, says: 'The server cannot answer at the moment' },
  ])('every page that meets a $status says what happened, and works when it is asked again', async ({ status, says }) => {
    const { email } = await openAdminConsole(house.app)
    await using visit = await house.visitSignedIn('/agents', { email })
    const { page } = visit
    const asked = /\/api\/(console\/(?!me|state)|permission_api)/
    for (const path of ['/agents', '/keys', '/conversations', '/usage', '/settings/models', '/settings/users', '/settings/status']) {
      await page.route(asked, (route) => route.fulfill({ status, json: { code: status, msg: 'inner words', data: null } }))
      await visit.open(path)
      const notice = page.getByRole('alert').filter({ hasText: says }).first()
      await notice.waitFor()
      expect(await page.getByText('inner words').count(), path).toBe(0)
      await page.unroute(asked)
      await notice.getByRole('button', { name: 'Try again' }).click()
      await notice.waitFor({ state: 'detached' })
    }
    expectNoProblems(visit, /status of 50[03]/)
  })

  test('a server that refuses a publication keeps the dialog and what was typed', async () => {
    const botId = await house.app.makeBot(house.app.userId, { profile: { name: 'Twice' } })
    await using visit = await house.visitSignedIn(`/agents/${botId}`)
    const { page } = visit
    await page.getByLabel('Description').fill('other words')
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'Publish “Twice”' })
    await dialog.getByLabel('Version').fill('1.0.0')
    await dialog.getByLabel('Note').fill('a long thought')
    await dialog.getByRole('button', { name: 'Publish' }).click()
    await dialog.getByRole('alert').waitFor()
    expect(await dialog.getByLabel('Note').inputValue()).toBe('a long thought')
    await dialog.getByLabel('Version').fill('1.0.1')
    await dialog.getByRole('button', { name: 'Publish' }).click()
    await page.getByText('Version 1.0.1 is live.').waitFor()
    expectNoProblems(visit, /status of 409/)
  })
})

describe.skipIf(hasNoBrowser())('when there is much of everything', PATIENT, () => {
  const house = useConsoleHouse()

  test('of 10,000 agents a page is shown, and any one is found', async () => {
    const { db } = house.app.core
    const { live_version_id: _none, ...bot } = await db
      .selectFrom('bot')
      .selectAll()
      .where('id', '=', house.app.botId)
      .executeTakeFirstOrThrow()
    const { userId, email } = await house.app.makeUser()
    for (const ids of idsInParts(10_000)) {
      await db
        .insertInto('bot')
        .values(ids.map((id) => ({ ...bot, id: String(900_000_000 + id), owner_id: userId, name: `Agent no ${id}` })))
        .execute()
    }
    await using visit = await house.visitSignedIn('/agents', { email })
    const { page } = visit
    await page.getByText('10,000 agents').waitFor()
    expect(await page.getByRole('listitem').filter({ hasText: 'Agent no' }).count()).toBe(20)
    await page.getByRole('listitem', { name: '500', exact: true }).click()
    await page.getByText('Agent no 0', { exact: true }).waitFor()
    await page.reload()
    await page.getByText('Agent no 0', { exact: true }).waitFor()
    await expectAccessible(visit)

    await page.getByLabel('Search by name or id').fill('no 7777')
    await page.getByText('Agent no 7777', { exact: true }).waitFor()
    await page.getByText('1 agent', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Agent no 7777', exact: true }).click()
    await page.getByRole('heading', { name: 'Agent no 7777', level: 1 }).waitFor()
    expectNoProblems(visit)
  })

  test('of 5,000 conversations a page is shown, and any one is found', async () => {
    const { db, nextId } = house.app.core
    const { userId, email } = await house.app.makeUser()
    const botId = await house.app.makeBot(userId, { profile: { name: 'Busy one' } })
    const now = Date.now()
    for (const part of idsInParts(5_000)) {
      const rows = part.map((index) => ({
        ...{
          id: nextId(),
          owner_id: userId,
          bot_id: botId,
          external_id: null,
          end_user: `person ${index}`,
          connector_id: '1024',
          name: '',
        },
        ...{ meta_data: '{}', section_id: nextId(), created_at: now, updated_at: now, deleted_at: 0 },
      }))
      await db.insertInto('conversation').values(rows).execute()
    }
    await using visit = await house.visitSignedIn('/conversations', { email })
    const { page } = visit
    await page.getByText('5,000 conversations').waitFor()
    expect(await page.getByRole('listitem').filter({ hasText: 'Busy one' }).count()).toBe(20)
    await page.getByLabel(/^Search/).fill('person 4321')
    await page.getByText('1 conversation', { exact: true }).waitFor()
    await page.getByText('person 4321').first().waitFor()
    await page.reload()
    await page.getByText('1 conversation', { exact: true }).waitFor()
    expectNoProblems(visit)
  })

  test('a prompt of 200 kB is typed into, saved, compared and published', async () => {
    const botId = await house.app.makeBot(house.app.userId, { profile: { name: 'Encyclopedia' } })
    await using visit = await house.visitSignedIn(`/agents/${botId}`)
    const { page } = visit
    const text = 'Every line says something about the world.\n'.repeat(4_700).slice(0, 199_900)
    const prompt = page.getByLabel('Instructions (system prompt)')
    await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`)
    await prompt.press('Control+a')
    await prompt.press('Control+v')
    await prompt.pressSequentially('The end')
    await untilSaved(visit)
    await page.getByText('199,907 characters').waitFor()
    await expectNoSidewaysScroll(visit)

    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'Publish “Encyclopedia”' })
    await dialog.getByRole('button', { name: 'Publish' }).click()
    await page.getByText(/^Version .* is live\.$/).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Encyclopedia' }).waitFor()
    expect(await prompt.inputValue()).toBe(`${text}The end`)
    expectNoProblems(visit)
  })

  test.each(['desk', 'phone'] as const)('names that are markup, very long, or from right to left stay names, on a %s', async (size) => {
    const { userId, email, apiKey } = await house.app.makeUser()
    const name = `${HOSTILE} ${'long '.repeat(40)}`
    const botId = await house.app.makeBot(userId, { profile: { name, description: 'שלום עולם '.repeat(100) } })
    const reply = await house.app.call('POST', '/v3/chat', { bot_id: botId, user_id: HOSTILE, query: HOSTILE }, { apiKey })
    await using visit = await house.visitSignedIn('/agents', { email, size })
    const { page } = visit
    page.on('dialog', () => visit.problems.push('a dialog of the page was opened'))

    const conversation = `/conversations/${reply.body.conversation_id}`
    const paths = ['/agents', `/agents/${botId}`, `/agents/${botId}/versions`, `/agents/${botId}/api`, '/conversations', conversation]
    for (const path of paths) {
      await visit.open(path)
      await page.getByText('<img src=x onerror=alert(1)>').filter({ visible: true }).first().waitFor()
      expect(await page.locator('img[src="x"], script:not([src])').count(), path).toBe(0)
      await expectNoSidewaysScroll(visit)
      await screenshot(visit, `hostile-${size}${path.replaceAll('/', '-')}`)
    }
    expectNoProblems(visit)
  })
})

const HOSTILE = '<img src=x onerror=alert(1)> \u202Egnp.exe שלום 🍵'

async function untilSaved({ page }: ConsoleVisit): Promise<void> {
  await page
    .getByRole('status')
    .filter({ hasText: /^\s*Saved$/ })
    .waitFor()
}

/** 0, 1, 2, …, in parts that one statement can take. */
function idsInParts(count: number): number[][] {
  const PART = 500
  return Array.from({ length: count / PART }, (_, part) => Array.from({ length: PART }, (_each, index) => part * PART + index))
}
