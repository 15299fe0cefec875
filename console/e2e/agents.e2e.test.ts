import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { TestApp } from '../../server/test/support/test-app.ts'
import { writeSnippet } from '../src/features/agent-api/snippets.ts'
import { hasNoBrowser } from './support/browser.ts'
import { useConsoleHouse } from './support/console-house.ts'
import { expectNoProblems, expectNoSidewaysScroll, screenshot } from './support/console-visit.ts'
import type { ConsoleVisit } from './support/console-visit.ts'
import { expectAccessible } from './support/expect-accessible.ts'

const run = promisify(execFile)
const PATIENT = { timeout: 120_000 }

describe.skipIf(hasNoBrowser())('agents in the console', PATIENT, () => {
  const house = useConsoleHouse()

  test('from a template to an answer in a terminal, and on until the key is deleted', async () => {
    const { email } = await house.app.makeUser()
    await using visit = await house.visitSignedIn('/agents', { email })
    const { page } = visit
    await page.getByRole('heading', { name: 'Make your first agent' }).waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'agents-empty')

    await page.getByRole('button', { name: 'New agent' }).first().click()
    await page.getByRole('radio', { name: /Translator/ }).check()
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Translator')
    await expectAccessible(visit)
    await screenshot(visit, 'agent-new')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByRole('heading', { name: 'Translator', level: 1 }).waitFor()
    const agentId = new URL(page.url()).pathname.split('/').at(-1) ?? ''

    await askPreview(visit, 'Hello preview')
    await page.getByRole('log').getByText(/demo/).first().waitFor()
    await page.getByRole('button', { name: 'Copy the answer' }).waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'agent-editor')

    await publish(visit, 'the first one')
    await screenshot(visit, 'agent-published')
    await page.getByRole('button', { name: 'Call it by API' }).click()
    await page.getByRole('heading', { name: 'API of Translator' }).waitFor()
    await page.getByRole('button', { name: 'Make a key for this agent' }).click()
    await page.getByRole('button', { name: 'Make the key' }).click()
    const apiKey = await page.getByLabel('The new key').inputValue()
    expect(apiKey).toMatch(/^pat_/)
    await expectAccessible(visit)
    await page.getByRole('button', { name: 'Use it on this page' }).click()
    await page.getByLabel('The new key').waitFor({ state: 'detached' })

    expect(await page.getByRole('group', { name: 'curl' }).textContent()).not.toContain(apiKey)
    expect(await runShell(await copySnippet(visit))).toContain('"code":0')
    await chooseWay(visit, 'Stream')
    expect(await runShell(await copySnippet(visit))).toContain('conversation.chat.completed')
    await chooseLanguage(visit, 'Node.js')
    expect(await runModule(await copySnippet(visit))).toContain('Hello, what can you do?')

    await page.getByRole('button', { name: 'Send the call' }).click()
    await page.getByRole('group', { name: 'What the agent said' }).waitFor()
    await page.getByText(/^Status 200/).waitFor()
    expect(await page.getByRole('group', { name: 'Events as they came' }).textContent()).toContain('conversation.message.delta')
    await expectAccessible(visit)
    await screenshot(visit, 'agent-api')

    await deleteKey(visit, 'Translator')
    const refused = await house.app.call('POST', '/v3/chat', { bot_id: agentId, query: 'Hello' }, { apiKey })
    expect(refused.status).toBe(401)
    expect(await page.content()).not.toContain(apiKey)
    expectNoProblems(visit)
  })

  test('snippets of the SDKs work as they are', async () => {
    await using visit = await house.visitSignedIn('/agents/123456/api')
    const { page } = visit
    await page.getByLabel('API key', { exact: true }).fill(house.app.apiKey)
    for (const name of ['Node.js', 'TypeScript (@coze/api)', 'OpenAI SDK']) {
      await chooseLanguage(visit, name)
      for (const way of ['Whole answer', 'Stream']) {
        await chooseWay(visit, way)
        expect(await runModule(await copySnippet(visit)), `${name}, ${way}`).toContain('Hello there')
      }
    }
    await chooseLanguage(visit, 'MCP')
    expect(JSON.parse(await copySnippet(visit)).mcpServers['coze-plus'].url).toBe(`${house.app.url}/mcp`)
    expectNoProblems(visit)
  })

  test('what is published can be compared, rolled back, unpublished and put back into the draft', async () => {
    const botId = await house.app.makeBot(house.app.userId, { profile: { name: 'Shop' }, config: { prompt: 'You sell tea.\nBe kind.' } })
    await using visit = await house.visitSignedIn(`/agents/${botId}`)
    const { page } = visit
    await page.getByLabel('Instructions (system prompt)').fill('You sell tea.\nBe very kind.')
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'Publish “Shop”' })
    await dialog.getByText('− Be kind.').waitFor()
    await dialog.getByText('+ Be very kind.').waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'agent-publish')
    await dialog.getByLabel('Version').fill('2.0.0')
    await dialog.getByRole('button', { name: 'Publish' }).click()
    await page.getByText('Version 2.0.0 is live.').waitFor()

    await page.getByRole('button', { name: 'Versions' }).click()
    await page.getByRole('button', { name: 'Make live: version 1.0.0' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Make live' }).click()
    await page.getByText('Version 1.0.0 is live.').waitFor()
    expect((await readAgent(house.app, botId)).live.version).toBe('1.0.0')
    await expectAccessible(visit)
    await screenshot(visit, 'agent-versions')

    await page.getByRole('button', { name: 'Look at it: version 2.0.0' }).click()
    await page.getByText('Be very kind.').waitFor()
    await expectAccessible(visit)
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: 'Unpublish' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Unpublish' }).click()
    await page.getByText('The agent is not published any more.').waitFor()
    const reply = await house.app.call('POST', '/v3/chat', { bot_id: botId, query: 'Hello' })
    expect(reply.status).toBe(404)
    expectNoProblems(visit)
  })

  test('of two tabs that edit one draft the second is told, and nothing is overwritten', async () => {
    const botId = await house.app.makeBot(house.app.userId, { profile: { name: 'Two tabs' } })
    await using visit = await house.visitSignedIn(`/agents/${botId}`)
    const { page } = visit
    const other = await page.context().newPage()
    await other.goto(`/agents/${botId}`)
    await other.getByLabel('Description').fill('from the other tab')
    await other.getByRole('status').filter({ hasText: 'Saved' }).waitFor()

    await page.getByLabel('Description').fill('from this tab')
    await page.getByText('This agent was changed in another tab').waitFor()
    await expectAccessible(visit)
    await screenshot(visit, 'agent-conflict')
    expect((await readAgent(house.app, botId)).draft).toMatchObject({ description: 'from the other tab' })
    expect(await page.getByLabel('Description').inputValue()).toBe('from this tab')
    await page.getByRole('button', { name: 'Overwrite it with mine' }).click()
    await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor()
    expect((await readAgent(house.app, botId)).draft).toMatchObject({ description: 'from this tab' })
    expectNoProblems(visit, /status of 409/)
  })

  test('without a network nothing is lost: not by waiting, not by a reload', async () => {
    const botId = await house.app.makeBot(house.app.userId, { profile: { name: 'Offline' } })
    await using visit = await house.visitSignedIn(`/agents/${botId}`)
    const { page } = visit
    const draftRoute = '**/api/console/agents/*/draft'
    await page.route(draftRoute, (route) => route.abort())
    await page.getByLabel('Description').fill('typed in a tunnel')
    await page.getByText('Not saved', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Try again' }).first().waitFor()
    await screenshot(visit, 'agent-unsaved')

    page.on('dialog', (dialog) => void dialog.accept())
    await page.reload()
    await page.getByText('They are back.').waitFor()
    expect(await page.getByLabel('Description').inputValue()).toBe('typed in a tunnel')
    await page.getByRole('link', { name: 'API keys' }).click()
    await page.getByRole('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Stay' }).click()

    await page.unroute(draftRoute)
    await page.getByRole('button', { name: 'Try again' }).first().click()
    await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor()
    expect((await readAgent(house.app, botId)).draft).toMatchObject({ description: 'typed in a tunnel' })
    expectNoProblems(visit, /ERR_FAILED/)
  })

  test('names that would be markup are text, and answers fetch nothing', async () => {
    const name = '<img src=x onerror=alert(1)> \u202Egnp 🍵'
    const botId = await house.app.makeBot(house.app.userId, {
      profile: { name },
      config: { prompt: 'x', onboarding: { prologue: HOSTILE } },
    })
    await using visit = await house.visitSignedIn(`/agents/${botId}`)
    const { page } = visit
    await page.getByRole('heading', { name: '<img src=x onerror=alert(1)>' }).waitFor()
    await page.getByRole('link', { name: /a cat/ }).waitFor()
    expect(await page.locator('img[src*="evil"], script:not([src]), a[href^="javascript"]').count()).toBe(0)
    await visit.open('/agents')
    await page.getByRole('link', { name: '<img src=x onerror=alert(1)>' }).first().waitFor()
    expectNoProblems(visit)
  })

  test('an agent is deleted only when its name is typed', async () => {
    const botId = await house.app.makeBot(house.app.userId, { profile: { name: 'Old one' } })
    await using visit = await house.visitSignedIn(`/agents/${botId}`)
    const { page } = visit
    await page.getByRole('button', { name: 'More', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Delete agent' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete the agent “Old one”?' })
    expect(await dialog.getByRole('button', { name: 'Delete agent' }).isDisabled()).toBe(true)
    await dialog.getByRole('textbox').fill('Old one')
    await expectAccessible(visit)
    await dialog.getByRole('button', { name: 'Delete agent' }).click()
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
    expect((await house.app.call('POST', '/v3/chat', { bot_id: botId, query: 'Hello' })).status).toBe(404)
    expectNoProblems(visit)
  })
})

describe.skipIf(hasNoBrowser())('the pages of agents and keys', PATIENT, () => {
  const house = useConsoleHouse()

  test.each([
    { language: 'zh', theme: 'dark', size: 'phone' },
    { language: 'zh', theme: 'dark', size: 'desk' },
    { language: 'en', theme: 'light', size: 'phone' },
  ] as const)('every page in $language, $theme, on a $size', async (look) => {
    await using visit = await house.visitSignedIn('/agents', look)
    const { page } = visit
    const name = (path: string) => `${path}-${look.language}-${look.theme}-${look.size}`
    const pages = {
      agents: '/agents',
      editor: '/agents/123456',
      versions: '/agents/123456/versions',
      api: '/agents/123456/api',
      keys: '/keys',
    }
    for (const [key, path] of Object.entries(pages)) {
      await visit.open(path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForLoadState('networkidle')
      await expectNoSidewaysScroll(visit)
      await expectAccessible(visit)
      await screenshot(visit, name(key))
    }
    expectNoProblems(visit)
  })
})

test('in the curl snippet a question with quotes stays one argument of the shell', async () => {
  const question = `it's "so" $HOME \`id\``
  const facts = { baseUrl: 'https://agents.example', agentId: '1', apiKey: 'pat_x', isStream: false }
  const shown = await runShell(writeSnippet('curl', { ...facts, question }).replace(/^curl/, `printf '%s\\n'`))
  expect(JSON.parse(shown.trim().split('\n').at(-1) ?? '')).toMatchObject({ query: question })
})

const HOSTILE =
  '<script>alert(1)</script>\n\n![a cat](https://evil.example/cat.png) [click](javascript:alert(1)) <img src="https://evil.example/x.png">'

async function readAgent(app: TestApp, botId: string) {
  const cookie = await app.signIn()
  const reply = await app.call('GET', `/api/console/agents/${botId}`, undefined, { apiKey: '', headers: { cookie } })
  return reply.body.data
}

async function askPreview({ page }: ConsoleVisit, question: string): Promise<void> {
  await page.getByLabel('Question', { exact: true }).fill(question)
  await page.keyboard.press('Enter')
}

async function publish({ page }: ConsoleVisit, note: string): Promise<void> {
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Note').fill(note)
  await dialog.getByRole('button', { name: 'Publish' }).click()
  await dialog.waitFor({ state: 'hidden' })
}

async function deleteKey(visit: ConsoleVisit, name: string): Promise<void> {
  const { page } = visit
  await visit.open('/keys')
  await page.getByText(name, { exact: true }).waitFor()
  await expectAccessible(visit)
  await screenshot(visit, 'keys')
  await page.getByRole('button', { name: `Delete ${name}` }).click()
  const dialog = page.getByRole('dialog', { name: `Delete the key “${name}”?` })
  await screenshot(visit, 'key-delete')
  await dialog.getByRole('button', { name: 'Delete key' }).click()
  await page.getByText(`The key “${name}” is deleted.`).waitFor()
}

async function chooseLanguage({ page }: ConsoleVisit, language: string): Promise<void> {
  await page.getByRole('radiogroup', { name: 'Language' }).getByText(language, { exact: true }).click()
}

async function chooseWay({ page }: ConsoleVisit, way: string): Promise<void> {
  await page.getByRole('radiogroup', { name: 'Way of answering' }).first().getByText(way).click()
}

/** What the copy button of the snippet gives. */
async function copySnippet({ page }: ConsoleVisit): Promise<string> {
  await page.getByRole('button', { name: 'Copy', exact: true }).click()
  return page.evaluate('navigator.clipboard.readText()')
}

async function runShell(command: string): Promise<string> {
  return (await run('sh', ['-c', command])).stdout
}

/** As a file of its own beside the packages of this repository. */
async function runModule(code: string): Promise<string> {
  const dir = await mkdtemp(join(import.meta.dirname, '..', '.cache', 'snippet-'))
  try {
    await writeFile(join(dir, 'ask.ts'), code)
    return (await run(process.execPath, ['ask.ts'], { cwd: dir })).stdout
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
