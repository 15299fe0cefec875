import { parseCanvas } from '../../src/workflows/canvas/canvas-document.ts'
import { parseBindings, parseFields } from '../../src/workflows/canvas/canvas-values.ts'
import { compileCanvas } from '../../src/workflows/engine/compile-graph.ts'
import type { NodeTypes } from '../../src/workflows/engine/compile-graph.ts'
import type { Graph } from '../../src/workflows/engine/graph.ts'
import type { NodeServices } from '../../src/workflows/engine/node-services.ts'
import type { NodeResult, NodeRun, NodeType } from '../../src/workflows/engine/node-type.ts'
import type { NodeRecord } from '../../src/workflows/engine/progress.ts'
import type { LoadedWorkflow, NodeMessage } from '../../src/workflows/engine/run-environment.ts'
import { runWorkflow } from '../../src/workflows/engine/run-workflow.ts'
import type { WorkflowEnd } from '../../src/workflows/engine/run-workflow.ts'
import { nodeTypes } from '../../src/workflows/nodes/node-registry.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import type { CanvasJson } from './canvas-builder.ts'

/** What a probe does when the engine runs it, by node id. */
export type Probes = Record<string, (run: NodeRun) => Promise<NodeResult> | NodeResult>

export type EngineSettings = {
  probes?: Probes
  services?: Partial<NodeServices>
  /** Other workflows by their ids. */
  workflows?: Record<string, CanvasJson>
  maxNodeRuns?: number
}

/**
 * The engine alone, with its state in memory. Nodes of the type 900 are probes: they do what the
 * test says, have `inputParameters` and `outputs` like others, and hand on their inputs where the test says nothing. With
 * `inputs: { writesText: true }` the engine takes them for models, whose text may be streamed.
 */
export function engineHouse(settings: EngineSettings = {}) {
  const types = withProbe(settings.probes ?? {})
  const graphs = new WeakMap<CanvasJson, Graph>()
  let ids = 0

  function compiled(canvas: CanvasJson): Graph {
    const graph = graphs.get(canvas) ?? compileCanvas(parseCanvas(canvas), types)
    graphs.set(canvas, graph)
    return graph
  }

  /** One run; `records` are kept from one life to the next, as a store would. */
  function startRun(canvas: CanvasJson, args: ValueObject = {}) {
    const graph = compiled(canvas)
    const records = new Map<string, NodeRecord>()
    const messages: NodeMessage[] = []
    let stores = 0

    function live(options: { resume?: { eventId: string; data: string }; signal?: AbortSignal } = {}): Promise<WorkflowEnd> {
      const before = new Map(records)
      return runWorkflow(
        {
          services: parseServices(settings.services ?? {}),
          progress: {
            find: (path) => before.get(path),
            put: (record) => void records.set(record.path, record),
            store: async () => void stores++,
          },
          clock: Date.now,
          nextId: () => `e${++ids}`,
          resume: options.resume,
          onMessage: (message) => void messages.push(message),
          loadWorkflow: async (workflowId) => load(settings.workflows?.[workflowId], types),
          maxNodeRuns: settings.maxNodeRuns,
        },
        { graph, args, signal: options.signal ?? new AbortController().signal },
      )
    }

    return {
      graph,
      records,
      messages,
      texts: () => messages.map(({ content }) => content),
      stores: () => stores,
      live,
      /** Forgets what is not in `kept`, as a crash does with what was not stored. */
      crash(kept: (record: NodeRecord) => boolean) {
        for (const [path, record] of records) if (!kept(record)) records.delete(path)
      },
    }
  }

  return {
    startRun,
    /** The results of a whole run. */
    async run(canvas: CanvasJson, args: ValueObject = {}): Promise<ValueObject> {
      const end = await startRun(canvas, args).live()
      if (end.kind !== 'done') throw new Error('the run waits')
      return end.outputs
    },
  }
}

function load(canvas: CanvasJson | undefined, types: NodeTypes): LoadedWorkflow {
  if (!canvas) throw new Error('this test has no such workflow')
  const graph = compileCanvas(parseCanvas(canvas), types)
  const exit = canvas.nodes.find((node) => node.type === '2')
  return { graph, inputs: [], isAnswer: exit?.data.inputs.terminatePlan === 'useAnswerContent' }
}

/** All kinds of nodes, and probes. */
export function withProbe(probes: Probes): NodeTypes {
  const probe: NodeType<undefined> = {
    ...{ code: '900', name: 'Probe', fillsInputs: true, fillsOutputs: true },
    parse: ({ inputs, outputs }) => ({
      config: undefined,
      inputs: parseBindings(inputs.inputParameters, 'inputs.inputParameters'),
      outputs: parseFields(outputs, 'outputs'),
      ports: undefined,
      writesText: inputs.writesText === true ? 'model' : undefined,
    }),
    run: async (run) => probes[run.node.id]?.(run) ?? { kind: 'done', outputs: run.inputs },
  }
  const withEffects = { ...probe, code: '901', hasEffects: true }
  return new Map([...nodeTypes, ['900', probe], ['901', withEffects]])
}

/** A service that the test does not give is one that no node must use. */
const parseServices = (given: Partial<NodeServices>): NodeServices => given as NodeServices
