import { describe, expect, onTestFinished, test } from 'vitest'
import { cannotRun } from '../../../test/support/find-program.ts'
import { runNode } from '../../../test/support/node-run.ts'
import type { NodeRunSettings } from '../../../test/support/node-run.ts'
import { parseFields } from '../canvas/canvas-values.ts'
import { createCodeRunner } from '../code/code-runner.ts'
import { codeNode } from './code-node.ts'

const declared = [
  { name: 'key0', type: 'string' },
  { name: 'key1', type: 'list', schema: { type: 'string' } },
  { name: 'key2', type: 'object', schema: [{ name: 'key21', type: 'string' }] },
  { name: 'count', type: 'integer' },
]

const inJavascript = {
  language: 5,
  code: `async function main({ params }: Args): Promise<Output> {
    const ret = { key0: params.input + params.input, key1: ["hello", 5, "world"], key2: { key21: "hi", more: [1] }, count: params.count, extra: { kept: true } };
    return ret;
  }`,
}
const inPython = {
  language: 3,
  code: `async def main(args: Args) -> Output:
    params = args.params
    ret: Output = {
        "key0": params['input'] + params['input'],
        "key1": ["hello", 5, "world"],
        "key2": {"key21": "hi", "more": [1]},
        "count": params["count"],
        "extra": {"kept": True},
    }
    return ret
`,
}

describe.each([
  ['JavaScript', inJavascript, false],
  ['Python', inPython, cannotRun('bwrap', 'python3')],
])('a code node in %s', (_name, inputs, isSkipped) => {
  test.skipIf(isSkipped)('gives what main returns, converted to the declared outputs, and what is not declared as it is', async () => {
    const { result, report } = await runCode(inputs, { inputs: { input: 'ab', count: 7351234567890123459n } })

    expect(result).toEqual({
      kind: 'done',
      outputs: {
        ...{ key0: 'abab', key1: ['hello', '5', 'world'], key2: { key21: 'hi', more: [1] } },
        ...{ count: 7351234567890123459n, extra: { kept: true } },
      },
    })
    expect(report.warnings).toEqual([])
  })

  test.skipIf(isSkipped)('warns of values that cannot be converted', async () => {
    const { result, report } = await runCode(inputs, { inputs: { input: 'ab', count: 'many' } })

    expect(result).toMatchObject({ outputs: { key0: 'abab', count: null } })
    expect(report.warnings).toEqual(['count is not an integer'])
  })

  test.skipIf(isSkipped)('fails with the message of the exception', async () => {
    const broken = { ...inputs, code: `${inputs.code}\nmain = unknown` }
    await expect(runCode(broken)).rejects.toMatchObject({ name: 'NodeError', code: 305000002, message: expect.stringContaining('(line ') })
  })

  test.skipIf(isSkipped)('ends with the run', async () => {
    const reason = new Error('the run was canceled')
    await expect(runCode(inputs, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

test('plain JavaScript has a number of its own, and numbers may be texts', async () => {
  for (const language of [1, '5'])
    expect((await runCode({ language, code: 'const main = () => ({ ok: true })' })).result).toMatchObject({ outputs: { ok: true } })
})

test('parameters are bound as the canvas says', () => {
  const parameter = {
    name: 'input',
    input: { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '100001', name: 'a.b' } } },
  }
  expect(codeNode.parse({ ...emptyNode, inputs: { ...inPython, inputParameters: [parameter] } })).toEqual({
    config: { language: 'python', code: inPython.code },
    inputs: [{ name: 'input', type: { kind: 'string' }, source: { from: 'node', nodeId: '100001', path: ['a', 'b'] } }],
  })
})

test.each([
  [{ language: 2, code: 'x' }, 'inputs.language', 'must be 3 (Python) or 5 (JavaScript, TypeScript), not 2'],
  [{ code: 'x' }, 'inputs.language', 'must be 3'],
  [{ language: 3, code: { a: 1 } }, 'inputs.code', 'must be the code'],
  [{ language: 3 }, 'inputs.code', 'must be the code of the node'],
  [{ language: 3, code: ' \n' }, 'inputs.code', 'must be the code of the node'],
  [{ language: 5, code: 'x'.repeat(100_001) }, 'inputs.code', 'has 100001 characters: at most 100000 are taken'],
])('a canvas with other settings is refused: %o', (inputs, path, message) => {
  expect(() => codeNode.parse({ ...emptyNode, inputs })).toThrow(
    expect.objectContaining({ name: 'CanvasProblem', path, message: expect.stringContaining(message) }),
  )
})

const emptyNode = { id: '1', type: '5', title: '', description: '', inputs: {}, outputs: [], blocks: [], edges: [] }

function runCode(inputs: Record<string, unknown>, settings: NodeRunSettings = {}) {
  const code = createCodeRunner()
  onTestFinished(() => code.close())
  return runNode(codeNode, { inputs }, { outputs: parseFields(declared, 'outputs'), services: { code }, ...settings })
}
