import { describe, expect, test } from 'vitest'
import type { CanvasJson } from '../../server/test/support/canvas-builder.ts'
import { framesOf, lastOf } from '../../server/test/support/workflow-app.ts'
import { hasNoBrowser } from './support/browser.ts'
import { useConsoleHouse } from './support/console-house.ts'
import type { ConsoleHouse } from './support/console-house.ts'
import { expectNoProblems, expectNoSidewaysScroll, screenshot } from './support/console-visit.ts'
import type { ConsoleVisit } from './support/console-visit.ts'
import { expectAccessible } from './support/expect-accessible.ts'
import { LAST_EDGE, PATIENT, cityGuide, idIn, makeRun, makeWorkflow, openNew, storedCanvas } from './support/workflow-samples.ts'

describe.skipIf(hasNoBrowser())('workflows in the console', PATIENT, () => {
  const house = useConsoleHouse()

  test('a canvas with an issue is imported, fixed, tried out with an answer in between, published, called by API and traced', async () => {
    await using visit = await house.visitSignedIn('/workflows')
    const { page } = visit
    await page.getByRole('heading', { name: 'Workflows', level: 1 }).waitFor()
    await screenshot(visit, 'workflows-empty')
    await expectAccessible(visit)

    const workflowId = await importCanvas(visit, { name: 'City guide', canvas: cityGuide() })
    await fixInEditor(visit)
    await tryOut(visit)
    await publish(visit)
    const runId = await callByApi(house, workflowId)
    await lookAtTrace(visit, { workflowId, runId })
    expectNoProblems(visit)

    expect(await storedCanvas(house, workflowId)).toEqual({ ...cityGuide(), ...{ edges: [...cityGuide().edges, LAST_EDGE] } })
  })

  test('nodes are added, connected, undone and redone, and loops keep their bodies', async () => {
    await using visit = await openNew(house, 'Drawn by hand')
    const { page } = visit
    await page.getByRole('button', { name: 'Add node' }).click()
    await page.getByRole('dialog').getByRole('button', { name: /^Loop/ }).click()
    await page.getByRole('region', { name: 'Loop', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Add node' }).click()
    await expect.poll(() => page.getByRole('dialog').textContent()).toContain('Goes into the body of “Loop”')
    await page.getByRole('dialog').getByRole('searchbox').fill('puts texts')
    await page.getByRole('dialog').getByRole('button', { name: /^Text/ }).click()
    await page.getByRole('region', { name: 'Text', exact: true }).getByLabel('Name', { exact: true }).first().fill('Join them')
    await expect.poll(() => page.locator('.react-flow__node').count()).toBe(4)
    await page.getByRole('button', { name: 'Arrange' }).click()
    await screenshot(visit, 'workflow-loop')
    await expectAccessible(visit)

    await page.getByRole('button', { name: 'Close' }).click()
    for (let step = 0; step < 4; step += 1) await page.getByRole('button', { name: 'Undo' }).click()
    await expect.poll(() => page.locator('.react-flow__node').count()).toBe(2)
    await page.keyboard.press('Control+Shift+z')
    await expect.poll(() => page.locator('.react-flow__node').count()).toBe(3)
    await page.getByText('Saved', { exact: true }).waitFor()
    await page.reload()
    await expect.poll(() => page.locator('.react-flow__node').count()).toBe(3)

    // by mouse and keyboard on the canvas itself
    const loop = page.locator('.react-flow__node', { hasText: 'Loop' })
    const start = page.locator('.react-flow__node', { hasText: 'Start' })
    await start.locator('.react-flow__handle.source').dragTo(loop.locator('.react-flow__handle.target').first())
    await expect.poll(() => page.getByRole('group', { name: 'Start → Loop' }).count()).toBe(1)
    await loop.click({ position: { x: 60, y: 20 } })
    await page.getByRole('region', { name: 'Loop', exact: true }).waitFor()
    await page.keyboard.press('Delete')
    await expect.poll(() => page.locator('.react-flow__node').count()).toBe(2)
    await start.click({ position: { x: 60, y: 20 } })
    await page.keyboard.press('Delete')
    await page.getByText('Saved', { exact: true }).waitFor()
    expect(await page.locator('.react-flow__node').count()).toBe(2)
    expectNoProblems(visit)
  })

  test('versions are compared with the draft, made live again and taken into the draft', async () => {
    const canvas = { ...cityGuide(), edges: [...cityGuide().edges, LAST_EDGE] }
    const id = await makeWorkflow(house, { name: 'Versions', canvas })
    await using visit = await house.visitSignedIn(`/workflows/${id}`)
    const { page } = visit
    const publishAs = async (version: string) => {
      await page.getByRole('button', { name: 'Publish' }).click()
      await page.getByRole('dialog').getByLabel('Version').fill(version)
      await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).click()
      await page.getByText(`Live: ${version}`).waitFor()
    }
    await publishAs('v1')
    await page.locator('.react-flow__node[data-id="102"]').click({ position: { x: 60, y: 20 } })
    await page.getByRole('region', { name: 'Put together' }).getByLabel('Name', { exact: true }).first().fill('Another name')
    await publishAs('v2')

    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Versions' }).click()
    await page.getByRole('button', { name: 'Compare version v1 with the draft' }).click()
    const compared = page.getByRole('dialog', { name: 'From version v1 to the draft' })
    await compared.getByText('nodeMeta.title').waitFor()
    expect(await compared.textContent()).toContain('Put togetherAnother name')
    await screenshot(visit, 'workflow-compare')
    await expectAccessible(visit)
    await compared.getByRole('button', { name: 'Close' }).click()

    await page.getByRole('button', { name: 'Make live: version v1' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Make live', exact: true }).last().click()
    await page.getByText('Live: v1').waitFor()
    await page.getByRole('button', { name: 'Edit this one: version v1' }).click()
    await page.locator('.react-flow__node', { hasText: 'Put together' }).waitFor()
    expectNoProblems(visit)
  })

  test.each([
    { name: 'zh', options: { language: 'zh' } },
    { name: 'dark', options: { theme: 'dark' } },
    { name: 'phone', options: { size: 'phone' } },
  ] as const)('every page can be used: $name', async ({ name, options }) => {
    const { workflowId, runId } = await makeRun(house)
    await using visit = await house.visitSignedIn('/workflows', options)
    const { page } = visit
    const look = async (path: string, picture: string, at: string) => {
      await visit.open(path)
      await page.locator(at).first().waitFor()
      await screenshot(visit, `${picture}-${name}`)
      await expectNoSidewaysScroll(visit)
      await expectAccessible(visit)
    }
    await look('/workflows', 'workflows', 'main li a')
    await look(`/workflows/${workflowId}`, 'workflow-editor', '.react-flow__node')
    await page.locator('.react-flow__node').nth(1).click()
    await page.getByRole('tab').first().waitFor()
    await screenshot(visit, `workflow-settings-${name}`)
    await expectAccessible(visit)
    await look(`/workflows/${workflowId}/runs`, 'workflow-runs', 'td')
    await look(`/workflows/${workflowId}/runs/${runId}?step=101`, 'workflow-trace', 'td')
    expectNoProblems(visit)
  })
})

async function importCanvas({ page, ...visit }: ConsoleVisit, { name, canvas }: { name: string; canvas: CanvasJson }): Promise<string> {
  await page.getByRole('button', { name: 'Import' }).first().click()
  await page.getByRole('dialog').getByLabel('Or paste the canvas').fill(JSON.stringify(canvas))
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await screenshot({ page, ...visit }, 'workflow-import')
  await page.getByRole('dialog').getByRole('button', { name: 'Import' }).click()
  await page.getByText('It has 1 issue').waitFor()
  expect(await page.getByRole('dialog').textContent()).toContain('node "Put together" not connected')
  await screenshot({ page, ...visit }, 'workflow-import-issues')
  await page.getByRole('button', { name: 'Open the editor' }).click()
  await page.waitForURL(/\/workflows\/\d+$/)
  return idIn(page.url())
}

async function fixInEditor(visit: ConsoleVisit): Promise<void> {
  const { page } = visit
  const node = page.locator('.react-flow__node', { hasText: 'Put together' })
  await node.getByRole('img', { name: '1 issue' }).waitFor()
  await page.getByRole('button', { name: '1 issue' }).click()
  await screenshot(visit, 'workflow-issues')
  await expectAccessible(visit)

  await page.getByRole('region', { name: 'What keeps it from running' }).getByRole('button', { name: 'Put together' }).click()
  const panel = page.getByRole('region', { name: 'Put together' })
  await panel.getByText('node "Put together" not connected').waitFor()
  await screenshot(visit, 'workflow-settings')
  await expectAccessible(visit)
  await panel.getByLabel('Next').click()
  await page.locator('.ant-select-item-option', { hasText: 'end' }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'No issues' }).waitFor()
  await node.getByRole('img', { name: '1 issue' }).waitFor({ state: 'hidden' })
}

async function tryOut(visit: ConsoleVisit): Promise<void> {
  const { page } = visit
  await page.getByRole('button', { name: 'Test run' }).click()
  const panel = page.getByRole('region', { name: 'Test run' })
  await panel.getByRole('button', { name: 'Run', exact: true }).click()
  await panel.getByText('Enter “city”').waitFor()
  await panel.getByLabel('city').fill('Paris')
  await panel.getByRole('button', { name: 'Run', exact: true }).click()
  await panel.getByText('How many days in Paris?').waitFor()
  await page.locator('.react-flow__node', { hasText: 'Ask for the days' }).getByRole('img', { name: 'waits for an answer' }).waitFor()
  await screenshot(visit, 'workflow-question')
  await expectAccessible(visit)
  await panel.getByRole('button', { name: 'two' }).click()
  await panel.getByText('Succeeded').waitFor()
  await panel.getByText('Paris: two days').waitFor()
  await page.locator('.react-flow__node', { hasText: 'Put together' }).getByRole('img', { name: 'done' }).waitFor()
  await screenshot(visit, 'workflow-tested')
  await expectAccessible(visit)
}

async function publish(visit: ConsoleVisit): Promise<void> {
  const { page } = visit
  await page.getByRole('button', { name: 'Publish' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Version').fill('v1')
  await dialog.getByLabel('Note').fill('The first one')
  await screenshot(visit, 'workflow-publish')
  await dialog.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Version v1 is live.').waitFor()
  await page.getByText('Live: v1').waitFor()
}

/** As customers do it: a stream that is interrupted by the question, and gone on with. */
async function callByApi(house: ConsoleHouse, workflow_id: string): Promise<string> {
  const asked = await framesOf(house.app, { workflow_id, parameters: { city: 'Oslo' } }, { path: '/v1/workflow/stream_run' })
  const { event_id } = lastOf(asked).interrupt_data
  const rest = await framesOf(
    house.app,
    { workflow_id, event_id, resume_data: 'one', interrupt_type: 2 },
    { path: '/v1/workflow/stream_resume' },
  )
  expect(JSON.stringify(rest)).toContain('Oslo: one days')
  return runOf(house, workflow_id)
}

async function lookAtTrace(visit: ConsoleVisit, { workflowId, runId }: { workflowId: string; runId: string }): Promise<void> {
  const { page } = visit
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Runs' }).click()
  await page.getByRole('heading', { name: 'Runs of “City guide”', level: 1 }).waitFor()
  await expect.poll(() => page.locator('tbody tr').count()).toBe(2)
  await screenshot(visit, 'workflow-runs')
  await expectAccessible(visit)
  await page.getByText('By API').click()
  await expect.poll(() => page.locator('tbody tr').count()).toBe(1)
  await page.locator('tbody tr').getByRole('link').click()
  await page.waitForURL(`**/workflows/${workflowId}/runs/${runId}`)
  await page.getByRole('button', { name: /^Put together/ }).click()
  const details = page.getByRole('region', { name: 'Put together' })
  await details.getByRole('region', { name: 'Outputs' }).getByText('Oslo: one days').waitFor()
  await details.getByRole('region', { name: 'Inputs' }).getByText('"String2": "one"').waitFor()
  await screenshot(visit, 'workflow-trace')
  await expectAccessible(visit)
}

async function runOf({ app }: ConsoleHouse, workflowId: string): Promise<string> {
  const headers = { cookie: await app.signIn() }
  const reply = await app.call('GET', `/api/console/workflows/${workflowId}/runs?kind=live`, undefined, { apiKey: '', headers })
  return reply.body.data.items[0].id
}
