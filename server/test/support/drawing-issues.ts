import { parseCanvas } from '../../src/workflows/canvas/canvas-document.ts'
import type { CanvasNode } from '../../src/workflows/canvas/canvas-document.ts'
import { parseBindings } from '../../src/workflows/canvas/canvas-values.ts'
import type { NodeType } from '../../src/workflows/engine/node-type.ts'
import type { CanvasIssue } from '../../src/workflows/validation/canvas-issue.ts'
import { validateCanvas } from '../../src/workflows/validation/validate-canvas.ts'
import type { ValidationContext } from '../../src/workflows/validation/validate-canvas.ts'
import type { Drawing } from './canvas-builder.ts'

export async function issuesOf(canvas: Drawing, context: Partial<ValidationContext> = {}): Promise<CanvasIssue[]> {
  const groups = await validateCanvas(parseCanvas(canvas.build()), { nodeTypes, loadSubWorkflow: async () => undefined, ...context })
  return groups.flatMap(({ issues }) => issues)
}

export async function messagesOf(canvas: Drawing): Promise<string[]> {
  return (await issuesOf(canvas)).map(({ message }) => message)
}

/** Nodes that read their parameters, and a selector with its ports. */
export const nodeTypes = new Map(['1', '2', '3', '9', '15', '19', '20', '21', '28', '29', '40', '8'].map((code) => [code, plainType(code)]))

function plainType(code: string): NodeType {
  const parse = (node: CanvasNode) => ({
    config: undefined,
    inputs: code === '20' || code === '40' ? [] : parseBindings(node.inputs.inputParameters, 'inputs.inputParameters'),
    ports: portsOf(node),
  })
  return { code, name: `type ${code}`, fillsInputs: false, fillsOutputs: false, parse, run: async () => ({ kind: 'done', outputs: {} }) }
}

function portsOf({ inputs }: CanvasNode): string[] {
  if (!Array.isArray(inputs.branches)) return []
  return [...inputs.branches.map((_, index) => (index === 0 ? 'true' : `true_${index}`)), 'false']
}
