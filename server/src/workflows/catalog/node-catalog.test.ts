import { expect, test } from 'vitest'
import { parseCanvas } from '../canvas/canvas-document.ts'
import { EMPTY_CANVAS, EMPTY_CHATFLOW_CANVAS } from '../canvas/empty-canvas.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { nodeTypes } from '../nodes/node-registry.ts'
import { validateCanvas } from '../validation/validate-canvas.ts'
import { nodeCatalog } from './node-catalog.ts'

test('every kind of node that runs can be put on a canvas, once each', () => {
  expect(nodeCatalog.map(({ code }) => code).toSorted()).toEqual([...nodeTypes.keys()].toSorted())
})

test('both languages say something of each', () => {
  for (const { code, label, description, settings } of nodeCatalog) {
    const texts = [label, description, ...settings.map((setting) => setting.label)]
    expect(
      texts.filter(({ en, zh }) => en === '' || zh === ''),
      code,
    ).toEqual([])
    expect(/[\u4e00-\u9fff]/.test(description.zh), code).toBe(true)
  }
})

/** What a builder still has to choose before the node can run. */
const UNFINISHED: Record<string, RegExp> = {
  '4': /apiParam must name a plugin/,
  '9': /workflowId must be/,
  '12': /sql must be/,
  '42': /condition must have/,
  '43': /databaseInfoID must name a database/,
  '44': /condition must have/,
  '46': /fieldInfo must have/,
}

test('a new node is read as what it is; what is missing is for its builder to choose', () => {
  for (const { code, initial, hasBody } of nodeCatalog) {
    const drawn = { id: '150000', type: code, data: filled(initial), ...(hasBody && { blocks: [], edges: [] }) }
    const [node] = parseCanvas({ nodes: [drawn], edges: [] }).nodes
    if (!node) throw new Error('there is a node')
    expect
      .soft(
        problemOf(() => nodeTypes.get(code)?.parse(node)),
        code,
      )
      .toMatch(UNFINISHED[code] ?? /^$/)
  }
})

test('settings are where the new node has them', () => {
  const optional = /concat|split|loopCount|content|streamingOutput|fcParam|bodyData|variableParameters|dynamic_option|condition/
  for (const { code, initial, settings } of nodeCatalog) {
    for (const { path, param } of settings) {
      if (optional.test(`${path}${param ?? ''}`)) continue
      expect(valueAt(initial, path, param), `${code} ${path} ${param ?? ''}`).toBeDefined()
    }
  }
})

test('a new workflow and a new chatflow can run', async () => {
  for (const text of [EMPTY_CANVAS, EMPTY_CHATFLOW_CANVAS]) {
    const canvas = parseCanvas(JSON.parse(text))
    expect(await validateCanvas(canvas, { nodeTypes, loadSubWorkflow: async () => undefined })).toEqual([])
  }
})

/** References that a new node leaves open lead to the entry. */
function filled(initial: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(initial).replaceAll('"blockID":"","name":""', '"blockID":"100001","name":"input"'))
}

function problemOf(work: () => unknown): string {
  try {
    work()
    return ''
  } catch (cause) {
    if (cause instanceof CanvasProblem) return `${cause.path} ${cause.message}`
    throw cause
  }
}

function valueAt(data: unknown, path: string, param: string | undefined): unknown {
  const steps = path.replace(/\[(\d+)\]/g, '.$1').split('.')
  const value = steps.reduce<unknown>((at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined), data)
  if (param === undefined || !Array.isArray(value)) return value
  return value.find((each: { name: string }) => each.name === param)
}
