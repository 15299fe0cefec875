import { expect } from 'vitest'
import { drawCanvas, params, ref } from '../../../server/test/support/canvas-builder.ts'
import type { CanvasJson } from '../../../server/test/support/canvas-builder.ts'
import type { ConsoleHouse } from './console-house.ts'
import type { ConsoleVisit } from './console-visit.ts'

/** A journey of many clicks in a real browser: a machine that does other things too takes its time for each. */
export const PATIENT = { timeout: 90_000 }

/** What the city guide lacks. */
export const LAST_EDGE = { sourceNodeID: '102', targetNodeID: '900001' }

/** Its last node leads nowhere. Holds what no form knows, and a number that JavaScript cannot hold. */
export function cityGuide(): CanvasJson {
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

export async function openNew(house: ConsoleHouse, name: string): Promise<ConsoleVisit> {
  const visit = await house.visitSignedIn('/workflows')
  const { page } = visit
  await page.getByRole('button', { name: 'New workflow' }).first().click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click()
  await page.locator('.react-flow__node').first().waitFor()
  return visit
}

export async function rename({ page }: ConsoleVisit, name: string): Promise<void> {
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Name and settings' }).click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
}

export async function makeWorkflow({ app }: ConsoleHouse, { name, canvas }: { name: string; canvas: CanvasJson }): Promise<string> {
  const headers = { cookie: await app.signIn(), 'x-console': '1' }
  const reply = await app.call('POST', '/api/console/workflows', { name, canvas: JSON.stringify(canvas) }, { apiKey: '', headers })
  expect(reply.status).toBe(200)
  return reply.body.data.id
}

export async function makeRun(house: ConsoleHouse): Promise<{ workflowId: string; runId: string }> {
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

export async function storedCanvas({ app }: ConsoleHouse, workflowId: string): Promise<unknown> {
  const headers = { cookie: await app.signIn() }
  const reply = await app.call('GET', `/api/console/workflows/${workflowId}`, undefined, { apiKey: '', headers })
  return JSON.parse(reply.body.data.draft.canvas)
}

/** Ten nodes in a row, rows below each other. */
export function largeCanvas(count: number): CanvasJson {
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
export const idIn = (url: string): string => /workflows\/(\d+)/.exec(url)?.[1] ?? ''
