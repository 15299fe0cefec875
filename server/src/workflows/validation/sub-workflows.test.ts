import { describe, expect, test } from 'vitest'
import { drawCanvas } from '../../../test/support/canvas-builder.ts'
import type { Drawing } from '../../../test/support/canvas-builder.ts'
import { nodeTypes } from '../../../test/support/drawing-issues.ts'
import { parseCanvas } from '../canvas/canvas-document.ts'
import { validateCanvas } from './validate-canvas.ts'

describe('sub-workflows', () => {
  const call = (workflowId: string, settings: Record<string, unknown> = {}) => ({
    title: `call ${workflowId}`,
    inputs: { workflowId, workflowVersion: '', type: 0, ...settings },
  })
  const calling = (...calls: ReturnType<typeof call>[]) => {
    const drawing = drawCanvas().entry({}).exit({})
    calls.forEach((sketch, index) => drawing.node(`10${index}`, 9, sketch).edges(`entry > 10${index} > exit`))
    return drawing
  }
  const answering = drawCanvas().entry({}).answer('hello', {}).edges('entry > exit')
  const broken = drawCanvas().entry({}).exit({})

  test('must end the way the node expects', async () => {
    const canvas = calling(call('7'), call('7', { type: 1 }), call('8', { type: 1, workflowVersion: 'v1' }))
    const groups = await groupsOf(canvas, { '7@': answering, '8@v1': calling() })

    const message = 'sub workflow has been modified, please refresh the page'
    expect(groups).toEqual([
      {
        issues: [
          { nodeId: '100', nodeTitle: 'call 7', path: 'inputs.type', message },
          { nodeId: '102', nodeTitle: 'call 8', path: 'inputs.type', message },
        ],
      },
    ])
  })

  test('are checked as drafts, each once, a published version not again', async () => {
    const canvas = calling(call('7'), call('7'), call('8', { workflowVersion: 'v1' }), call('9'))
    const groups = await groupsOf(canvas, { '7@': broken, '8@v1': broken, '9@': calling(call('7')).edges('entry > exit') })

    expect(groups).toEqual([
      {
        workflowId: '7',
        name: 'workflow 7',
        issues: [{ nodeId: '100001', nodeTitle: 'start', message: 'node "start" not connected' }],
      },
    ])
  })

  test('that do not exist are named', async () => {
    const [group] = await groupsOf(calling(call('7'), call('8', { workflowVersion: 'v2' })), {})

    expect(group?.issues.map(({ nodeId, path, message }) => [nodeId, path, message])).toEqual([
      ['100', 'inputs.workflowId', 'the workflow 7 does not exist'],
      ['101', 'inputs.workflowId', 'the workflow 8 of version v2 does not exist'],
    ])
  })

  test('must not lead back to the workflow, not even through others or a loop', async () => {
    const back = drawCanvas()
      .entry({})
      .loop('101', { params: { list: [1] } }, (body) => body.node('201', 9, call('5')).edges('start > 201 > end'))
      .exit({})
      .edges('entry > 101 > exit')
    const message = (id: string) =>
      `node "call ${id}" leads back to its own workflow: a workflow must not call itself, not even through others`

    expect(await groupsOf(calling(call('7'), call('8')), { '7@': back, '8@': calling().edges('entry > exit') })).toEqual([
      { issues: [expect.objectContaining({ nodeId: '100', message: message('7') })] },
      { workflowId: '7', name: 'workflow 7', issues: [expect.objectContaining({ nodeId: '201', message: message('5') })] },
    ])
    expect(await groupsOf(calling(call('5')), {})).toEqual([{ issues: [expect.objectContaining({ message: message('5') })] }])
  })

  test('by the thousand end', async () => {
    let loaded = 0
    const groups = await validateCanvas(parseCanvas(calling(call('1')).build()), {
      nodeTypes,
      loadSubWorkflow: async (workflowId) => {
        loaded++
        return { name: workflowId, canvas: parseCanvas(calling(call(`${Number(workflowId) + 1}`)).build()) }
      },
    })

    expect(loaded).toBe(499)
    expect(groups.at(-1)?.issues[0]?.message).toBe('the workflow is made of more than 500 others')
  })

  async function groupsOf(canvas: Drawing, others: Record<string, Drawing>) {
    return validateCanvas(parseCanvas(canvas.build()), {
      nodeTypes,
      workflowId: '5',
      loadSubWorkflow: async (workflowId, version) => {
        const found = others[`${workflowId}@${version}`]
        return found && { name: `workflow ${workflowId}`, canvas: parseCanvas(found.build()) }
      },
    })
  }
})
