import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { hasNoBrowser } from './support/browser.ts'
import { useConsoleHouse } from './support/console-house.ts'
import { expectNoProblems, screenshot } from './support/console-visit.ts'
import { expectAccessible } from './support/expect-accessible.ts'
import {
  LAST_EDGE,
  PATIENT,
  cityGuide,
  idIn,
  largeCanvas,
  makeWorkflow,
  openNew,
  rename,
  storedCanvas,
} from './support/workflow-samples.ts'

const REFUSED = /status of 4\d\d/

describe.skipIf(hasNoBrowser())('workflows in the console, when things go wrong', PATIENT, () => {
  const house = useConsoleHouse()

  test('who edits in two tabs is told, and nothing is overwritten without being asked for', async () => {
    await using visit = await openNew(house, 'Two tabs')
    const { page } = visit
    const id = idIn(page.url())
    const cookie = await house.app.signIn()
    const mine = (await house.app.call('GET', `/api/console/workflows/${id}`, undefined, { apiKey: '', headers: { cookie } })).body.data
    const elsewhere = { draft: { ...mine.draft, description: 'from elsewhere' }, revision: mine.revision }
    const headers = { cookie, 'x-console': '1' }
    expect((await house.app.call('PUT', `/api/console/workflows/${id}/draft`, elsewhere, { apiKey: '', headers })).status).toBe(200)

    await rename(visit, 'Mine')
    await page.getByText('Somebody else has saved this workflow meanwhile').waitFor()
    await screenshot(visit, 'workflow-conflict')
    await expectAccessible(visit)
    await page.getByRole('button', { name: 'Take the stored one' }).click()
    await page.getByText('Saved', { exact: true }).waitFor()
    await page.getByRole('heading', { name: 'Two tabs', level: 1 }).waitFor()

    await rename(visit, 'Mine after all')
    await page.getByText('Saved', { exact: true }).waitFor()
    const stored = (await house.app.call('GET', `/api/console/workflows/${id}`, undefined, { apiKey: '', headers: { cookie } })).body.data
    expect(stored.draft).toMatchObject({ name: 'Mine after all', description: 'from elsewhere' })
    expectNoProblems(visit, /status of 409/)
  })

  test('a reload in the middle loses nothing: what could not be saved, and a run that asks', async () => {
    const canvas = { ...cityGuide(), edges: [...cityGuide().edges, LAST_EDGE] }
    const id = await makeWorkflow(house, { name: 'Interrupted', canvas })
    await using visit = await house.visitSignedIn(`/workflows/${id}`)
    const { page } = visit
    page.on('dialog', (question) => void question.accept())
    const node = page.locator('.react-flow__node[data-id="102"]')
    await page.route('**/draft', (route) => route.fulfill({ status: 500, json: { code: 500, msg: 'internal error' } }))
    await node.click({ position: { x: 60, y: 20 } })
    await page.getByRole('region', { name: 'Put together' }).getByLabel('Name', { exact: true }).first().fill('Not lost')
    await page.getByRole('button', { name: 'Save again' }).waitFor()
    await page.reload()
    await page.getByRole('region', { name: 'Not lost' }).waitFor()
    await page.unroute('**/draft')
    await page.getByRole('button', { name: 'Save again' }).click()
    await page.getByText('Changes that this tab had not saved are back').waitFor()
    await page.getByText('Saved', { exact: true }).waitFor()
    expect(JSON.stringify(await storedCanvas(house, id))).toContain('Not lost')

    await page.getByRole('button', { name: 'Test run' }).click()
    const panel = page.getByRole('region', { name: 'Test run' })
    await panel.getByLabel('city').fill('Paris')
    await panel.getByRole('button', { name: 'Run', exact: true }).click()
    await panel.getByText('How many days in Paris?').waitFor()
    await page.reload()
    await panel.getByText('How many days in Paris?').waitFor()
    expect(await panel.getByLabel('city').inputValue()).toBe('Paris')
    await page.context().setOffline(true)
    await panel.getByRole('button', { name: 'two' }).click()
    await panel.getByText('The server cannot be reached').waitFor()
    await page.context().setOffline(false)
    await panel.getByRole('button', { name: 'two' }).click()
    await panel.getByText('Paris: two days').waitFor()
    expectNoProblems(visit, /status of 500/, /ERR_INTERNET_DISCONNECTED/)
  })

  test('what is no canvas is refused with a reason, and stays to be mended', async () => {
    await using visit = await house.visitSignedIn('/workflows')
    const { page } = visit
    await page.getByRole('button', { name: 'Import' }).first().click()
    await page.getByRole('dialog').getByLabel('Or paste the canvas').fill('{"nodes": [')
    await page.getByRole('textbox', { name: 'Name' }).fill('Broken')
    await page.getByRole('dialog').getByRole('button', { name: 'Import' }).click()
    await page.getByText('This is not valid JSON').waitFor()
    expect(await page.getByRole('dialog').getByLabel('Or paste the canvas').inputValue()).toBe('{"nodes": [')
    await page.getByRole('dialog').getByLabel('Or paste the canvas').fill('{"a": 1}')
    await page.getByRole('dialog').getByRole('button', { name: 'Import' }).click()
    await page.getByText('it has no list of nodes').waitFor()
    expectNoProblems(visit, REFUSED)
  })

  test('of a canvas of 300 nodes only what is seen is drawn, and only what is moved is drawn anew', async () => {
    const id = await makeWorkflow(house, { name: 'Large', canvas: largeCanvas(300) })
    await using visit = await house.visitSignedIn(`/workflows/${id}`)
    const { page } = visit
    await page.locator('.react-flow__node').first().waitFor()
    await screenshot(visit, 'workflow-large')
    const zoomIn = page.getByRole('button', { name: 'Zoom In' })
    for (let step = 0; step < 8; step += 1) await zoomIn.click()
    await expect.poll(() => page.locator('.react-flow__node').count()).toBeLessThan(150)

    const nodeId = await page.evaluate<string>(IN_THE_MIDDLE)
    await page.evaluate(`window.redrawn = new Set(); new MutationObserver((changes) => {
      for (const { target } of changes) {
        const node = target instanceof Element ? target.closest('.react-flow__node') : undefined
        if (node) window.redrawn.add(node.dataset.id)
      }
    }).observe(document.querySelector('.react-flow__nodes'), { subtree: true, childList: true, attributes: true, characterData: true })`)
    await page.mouse.move(...(await cornerOf(page, nodeId, 0)))
    await page.mouse.down()
    await page.mouse.move(...(await cornerOf(page, nodeId, 50)), { steps: 20 })
    await page.mouse.up()
    await page.getByText('Saved', { exact: true }).waitFor()
    expect(await page.evaluate('[...window.redrawn]')).toEqual([nodeId])
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Saved', { exact: true }).waitFor()
    expectNoProblems(visit)
  })
})

/** The id of the node that is nearest to the middle of the canvas. */
const IN_THE_MIDDLE = `(() => {
  const pane = document.querySelector('.react-flow__pane').getBoundingClientRect()
  const distance = ({ box }) => Math.hypot(box.x - pane.x - pane.width / 2, box.y - pane.y - pane.height / 2)
  const nodes = [...document.querySelectorAll('.react-flow__node')].map((node) => ({ id: node.dataset.id, box: node.getBoundingClientRect() }))
  return nodes.sort((one, other) => distance(one) - distance(other))[0].id
})()`

/** A point of the window: beside the upper left corner of a node, and so far away from that. */
async function cornerOf(page: Page, nodeId: string, away: number): Promise<[number, number]> {
  const box = await page.locator(`.react-flow__node[data-id="${nodeId}"]`).boundingBox()
  if (!box) throw new Error('the node is not drawn')
  return [box.x + 12 + away, box.y + 8 + away]
}
