import { linkAbort } from '../../lib/linked-abort.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings, parseBlockInput } from '../canvas/canvas-values.ts'
import type { Binding } from '../engine/graph.ts'
import type { NodeResult, NodeRun, NodeType, PassResult } from '../engine/node-type.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'
import { AnotherFailed } from '../engine/run-environment.ts'
import { isValueObject } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import { outputFields, parseBodyOutputs, readItem } from './body-outputs.ts'
import type { BodyOutput } from './body-outputs.ts'
import { elementsAt, shortest } from './loop-node.ts'

export type BatchConfig = { lists: string[]; outputs: BodyOutput[] }

const SIZE = '$size'
const CONCURRENCY = '$concurrency'
const DEFAULT_SIZE = 100
const DEFAULT_CONCURRENCY = 10
const MAX_SIZE = 1_000
const MAX_CONCURRENCY = 100

/** Its body once for each element of its lists, several at a time. */
export const batchNode: NodeType<BatchConfig> = {
  code: '28',
  name: 'Batch',
  fillsInputs: true,
  fillsOutputs: true,
  parse(node) {
    const lists = parseBindings(node.inputs.inputParameters, 'inputs.inputParameters')
    if (lists.length === 0) throw new CanvasProblem('inputs.inputParameters', 'a batch needs at least one list')
    const outputs = parseBodyOutputs(node)
    return {
      config: { lists: lists.map(({ name }) => name), outputs },
      inputs: [...lists, ...parseSize(node, 'batchSize', SIZE), ...parseSize(node, 'concurrentSize', CONCURRENCY)],
      outputs: outputFields(outputs),
    }
  },
  run: runBatch,
}

function parseSize({ inputs }: CanvasNode, setting: string, name: string): Binding[] {
  const size = inputs[setting] ?? undefined
  return size === undefined ? [] : [{ ...parseBlockInput(size, `inputs.${setting}`), name }]
}

async function runBatch(run: NodeRun<BatchConfig>): Promise<NodeResult> {
  const { config, inputs } = run
  if (run.saved === undefined) run.save({ begun: 0 })
  const size = readSetting(inputs, SIZE, { fallback: DEFAULT_SIZE, max: MAX_SIZE })
  const count = Math.min(shortest(inputs, config.lists), size)
  const results = await runPasses(run, count)

  const waiting = results.flatMap((result) => (result?.kind === 'waiting' ? result.events : []))
  if (waiting.length > 0) return { kind: 'waiting', events: waiting }
  return { kind: 'done', outputs: Object.fromEntries(config.outputs.map((output) => [output.name, listOf(output, results)])) }
}

/** No pass begins while another one waits for somebody; the first failure stops the others. */
async function runPasses(run: NodeRun<BatchConfig>, count: number): Promise<(PassResult | undefined)[]> {
  const { config, inputs } = run
  const keep = config.outputs.flatMap((output) => (output.from === 'body' ? [output.nodeId] : []))
  const results = new Array<PassResult | undefined>(count)
  const concurrency = readSetting(inputs, CONCURRENCY, { fallback: DEFAULT_CONCURRENCY, max: MAX_CONCURRENCY })
  const { control, release } = linkAbort(run.signal)
  let failure: { cause: unknown } | undefined
  const waiting: WaitingEvent[] = []
  // what had begun in an earlier life of the run goes on: the answer may be for a pass behind one that still waits
  const begun = isValueObject(run.saved) ? Number(run.saved.begun) : 0
  let next = 0

  async function work(): Promise<void> {
    while (!failure && next < count && (waiting.length === 0 || next < begun)) {
      const index = next++
      if (index >= begun) run.save({ begun: index + 1 })
      const seed: ValueObject = { ...elementsAt(inputs, config.lists, index), index }
      const result = await run.runBody({ index, keep, seed, signal: control.signal })
      results[index] = result
      if (result.kind === 'waiting') waiting.push(...result.events)
    }
  }

  try {
    // @NOTE all of them are awaited: a pass that outlived its node would write over what its next attempt does
    await Promise.all(Array.from({ length: concurrency }, () => work().catch(stopAll)))
  } finally {
    release()
  }
  if (failure) throw failure.cause
  return results

  function stopAll(cause: unknown): void {
    failure ??= { cause }
    control.abort(new AnotherFailed())
  }
}

/** What is no number from 1 is as if it were not there. */
function readSetting(inputs: ValueObject, name: string, { fallback, max }: { fallback: number; max: number }): number {
  const number = Math.floor(Number(inputs[name] ?? 0))
  return number >= 1 ? Math.min(number, max) : fallback
}

/** One entry for each pass, null where it gave nothing. */
function listOf(output: BodyOutput, results: (PassResult | undefined)[]) {
  return results.map((result) => (result?.kind === 'done' ? (readItem(output, result.outputs) ?? null) : null))
}
