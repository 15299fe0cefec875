import { describe, expect, test } from 'vitest'
import { drawCanvas, params, ref } from '../../server/test/support/canvas-builder.ts'
import type { CanvasJson } from '../../server/test/support/canvas-builder.ts'
import { framesOf, lastOf } from '../../server/test/support/workflow-app.ts'
import { hasNoBrowser } from './support/browser.ts'
import { useConsoleHouse } from './support/console-house.ts'
import type { ConsoleHouse } from './support/console-house.ts'
import { expectNoProblems, expectNoSidewaysScroll, screenshot } from './support/console-visit.ts'
import type { ConsoleVisit } from './support/console-visit.ts'
import { expectAccessible } from './support/expect-accessible.ts'

const REFUSED = /status of 4\d\d/

describe.skipIf(hasNoBrowser())('workflows in the console', () => {
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

  test('a canvas of 300 nodes is moved through without stutter', async () => {
    const id = await makeWorkflow(house, { name: 'Large', canvas: largeCanvas(300) })
    await using visit = await house.visitSignedIn(`/workflows/${id}`)
    const { page } = visit
    await page.locator('.react-flow__node').first().waitFor()
    await page.waitForTimeout(1_000)
    const frames = async (act: () => Promise<void>): Promise<number> => {
      await page.evaluate(
        `window.frames_seen = []; window.frames_go = true; (function see(now) { window.frames_seen.push(now); if (window.frames_go) requestAnimationFrame(see) })(performance.now())`,
      )
      await act()
      return page.evaluate<number>(`(() => {
        window.frames_go = false
        const gaps = window.frames_seen.slice(1).map((now, index) => now - window.frames_seen[index]).sort((one, other) => one - other)
        return gaps[Math.floor(gaps.length / 2)]
      })()`)
    }
    const box = await page.locator('.react-flow__node').nth(150).boundingBox()
    const [x, y] = [(box?.x ?? 0) + 6, (box?.y ?? 0) + 6]
    const zooming = await frames(async () => {
      await page.mouse.move(x, y)
      for (let step = 0; step < 30; step += 1) await page.mouse.wheel(0, step % 10 < 5 ? -40 : 40)
    })
    const dragging = await frames(async () => {
      await page.mouse.down()
      for (let step = 0; step < 30; step += 1) await page.mouse.move(x + step * 3, y + step * 2)
      await page.mouse.up()
    })
    await screenshot(visit, 'workflow-large')
    // half of all frames, on a machine that does other things too
    expect({ zooming: zooming < 60, dragging: dragging < 60, measured: [zooming, dragging] }).toMatchObject({
      zooming: true,
      dragging: true,
    })
    await page.getByText('Saved', { exact: true }).waitFor()
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
      await page.waitForTimeout(300)
      await screenshot(visit, `${picture}-${name}`)
      await expectNoSidewaysScroll(visit)
      await expectAccessible(visit)
    }
    await look('/workflows', 'workflows', 'main li a')
    await look(`/workflows/${workflowId}`, 'workflow-editor', '.react-flow__node')
    await page.locator('.react-flow__node').nth(1).click()
    await page.getByRole('tab').first().waitFor()
    await page.waitForTimeout(400)
    await screenshot(visit, `workflow-settings-${name}`)
    await expectAccessible(visit)
    await look(`/workflows/${workflowId}/runs`, 'workflow-runs', 'td')
    await look(`/workflows/${workflowId}/runs/${runId}?step=101`, 'workflow-trace', 'td')
    expectNoProblems(visit)
  })
})

const LAST_EDGE = { sourceNodeID: '102', targetNodeID: '900001' }

/** Its last node leads nowhere. Holds what no form knows, and a number that JavaScript cannot hold. */
function cityGuide(): CanvasJson {
  const canvas = drawCanvas()
    .entry({ 'city!': 'string' })
    .node('101', 18, {
      title: 'Ask for the days',
      params: { city: ref('entry.city') },
      inputs: {
        ...{ question: 'How many days in {{city}}?', answer_type: 'option', option_type: 'static' },
        ...{ options: [{ name: 'one' }, { name: 'two' }], limit: 3, llmParam: { modelType: 1 } },
      },
      outputs: { optionId: 'string', optionContent: 'string' },
    })
    .node('102', 15, {
      title: 'Put together',
      params: { String1: ref('entry.city'), String2: ref('101.optionContent') },
      inputs: {
        method: 'concat',
        concatParams: params({ concatResult: '{{String1}}: {{String2}} days' }),
        x_unknown: { kept: [1, 'as it is'] },
      },
      outputs: { output: 'string' },
    })
    .exit({ plan: ref('102.output') })
    .edges('entry > 101:branch_0 > 102', '101:branch_1 > 102', '101:default > 102')
    .build()
  return { ...canvas, nodes: canvas.nodes.map((node, index) => ({ ...node, meta: { position: { x: index * 340, y: 40 } } })) }
}

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

async function openNew(house: ConsoleHouse, name: string): Promise<ConsoleVisit> {
  const visit = await house.visitSignedIn('/workflows')
  const { page } = visit
  await page.getByRole('button', { name: 'New workflow' }).first().click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click()
  await page.locator('.react-flow__node').first().waitFor()
  return visit
}

async function rename({ page }: ConsoleVisit, name: string): Promise<void> {
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Name and settings' }).click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
}

const idIn = (url: string): string => /workflows\/(\d+)/.exec(url)?.[1] ?? ''

async function makeWorkflow({ app }: ConsoleHouse, { name, canvas }: { name: string; canvas: CanvasJson }): Promise<string> {
  const headers = { cookie: await app.signIn(), 'x-console': '1' }
  const reply = await app.call('POST', '/api/console/workflows', { name, canvas: JSON.stringify(canvas) }, { apiKey: '', headers })
  expect(reply.status).toBe(200)
  return reply.body.data.id
}

async function makeRun(house: ConsoleHouse): Promise<{ workflowId: string; runId: string }> {
  const { app } = house
  const canvas = { ...cityGuide(), edges: [...cityGuide().edges, LAST_EDGE] }
  const workflowId = await makeWorkflow(house, { name: 'City guide <img onerror=alert(1)>', canvas })
  const headers = { cookie: await app.signIn(), 'x-console': '1' }
  const request = { parameters: { city: 'Rome' } }
  const reply = await app.call('POST', `/api/console/workflows/${workflowId}/test-runs`, request, { apiKey: '', headers })
  expect(reply.status).toBe(200)
  const runId: string = reply.body.data.id
  await expect
    .poll(async () => (await app.call('GET', `/api/console/workflow-runs/${runId}`, undefined, { apiKey: '', headers })).body.data.status)
    .toBe('waiting')
  return { workflowId, runId }
}

async function runOf({ app }: ConsoleHouse, workflowId: string): Promise<string> {
  const headers = { cookie: await app.signIn() }
  const reply = await app.call('GET', `/api/console/workflows/${workflowId}/runs?kind=live`, undefined, { apiKey: '', headers })
  return reply.body.data.items[0].id
}

async function storedCanvas({ app }: ConsoleHouse, workflowId: string): Promise<unknown> {
  const headers = { cookie: await app.signIn() }
  const reply = await app.call('GET', `/api/console/workflows/${workflowId}`, undefined, { apiKey: '', headers })
  return JSON.parse(reply.body.data.draft.canvas)
}

/** Ten nodes in a row, rows below each other. */
function largeCanvas(count: number): CanvasJson {
  const ids = Array.from({ length: count }, (_, index) => String(1_000 + index))
  const drawing = ids.reduce((drawn, id) => drawn.node(id, 15, { outputs: { output: 'string' } }), drawCanvas().entry({}))
  const canvas = drawing
    .exit({})
    .edges(['entry', ...ids, 'exit'].join(' > '))
    .build()
  return {
    ...canvas,
    nodes: canvas.nodes.map((node, index) => ({ ...node, meta: { position: { x: (index % 20) * 320, y: Math.floor(index / 20) * 140 } } })),
  }
}
