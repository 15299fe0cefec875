/**
 * Draws a canvas in the format that Coze Studio exports, in few words:
 *
 *     const canvas = drawCanvas()
 *       .entry({ city: 'string', 'tags!': ['string'], user: { name: 'string' } }, { city: 'Paris' })
 *       .node('101', 15, {
 *         title: 'join',
 *         params: { String1: ref('entry.city'), String2: 'a literal' },
 *         inputs: { method: 'concat', concatParams: params({ concatResult: '{{String1}} {{String2}}' }) },
 *         outputs: { output: 'string' },
 *       })
 *       .selector('102', [{ if: [[1, ref('101.output'), 'Paris']] }])
 *       .loop('103', { params: { tag: ref('entry.tags', ['string']) }, outputs: { texts: ref('201.output', ['string']) } }, (body) =>
 *         body.node('201', 13, { params: { tag: ref('103.tag') }, inputs: { content: input('{{tag}}') } }).edges('start > 201 > end'),
 *       )
 *       .exit({ joined: ref('101.output'), texts: ref('103.texts', ['string']), limit: 3 })
 *       .edges('entry > 101 > 102:true > 103:loop-output > exit', '102:false > exit')
 *       .build()
 *
 * - Inputs are plain values (literals), `literal(value, type)`, `ref('node.path', type)`, `variable('app', 'name', type)` or
 *   `fields({ … })`. A ref's type is `string` unless it says otherwise.
 * - Types are words of `TypeWord`, `[element]` for a list and `{ name: type }` for an object; a name that ends in `!` is required.
 * - Edges are chains of node ids. `id:port` names the port it leaves by; at the end of a chain, the one it comes in by. `entry` and
 *   `exit` stand for the ids of those two, also in refs; `start` and `end` in a body for the inline ports of its loop or batch.
 * - Nothing is checked: drawings of broken canvases are wanted too.
 */
export function drawCanvas(): Drawing {
  return createDrawing({ nodes: [], edges: [] })
}

export type Drawing = {
  /** `defaults` are literal texts, or values that become their JSON text. */
  entry(outputs: TypeFields, defaults?: Record<string, unknown>): Drawing
  /** Returns variables. */
  exit(params: Params): Drawing
  /** Answers with a text. */
  answer(content: string, params: Params, options?: { streaming?: boolean }): Drawing
  node(id: string, type: number, sketch?: NodeSketch): Drawing
  selector(id: string, branches: Branch[], sketch?: NodeSketch): Drawing
  loop(id: string, sketch: LoopSketch, draw: (body: Drawing) => unknown): Drawing
  batch(id: string, sketch: BatchSketch, draw: (body: Drawing) => unknown): Drawing
  edges(...chains: string[]): Drawing
  build(): CanvasJson
}

export type NodeSketch = {
  title?: string
  /** `inputParameters`. */
  params?: Params
  /** All other settings, as the canvas has them. */
  inputs?: Record<string, unknown>
  outputs?: TypeFields
  /** `settingOnError`, switched on where it does not say. */
  onError?: Record<string, unknown>
}
export type LoopSketch = {
  title?: string
  type?: 'array' | 'count' | 'infinite'
  count?: Input
  /** The lists it walks. */
  params?: Params
  variables?: Params
  outputs?: Params
}
export type BatchSketch = { title?: string; size?: Input; concurrency?: Input; params?: Params; outputs?: Params }

/** Holds when all of its conditions do, or when `any` does. A condition is an operator, left and right. */
export type Branch = { if: [operator: number, left: Input, right?: Input][]; any?: boolean }

export type TypeWord = 'string' | 'integer' | 'float' | 'boolean' | 'object' | 'list' | 'time' | FileWord
export type FileWord = (typeof fileWords)[number]
export type TypeSketch = TypeWord | [TypeSketch] | TypeFields
export type TypeFields = { [name: string]: TypeSketch }

export type Input = string | number | boolean | unknown[] | BlockInputJson
export type Params = Record<string, Input>

export type TypeJson = { type: string; assistType?: number; schema?: unknown }
export type BlockInputJson = TypeJson & { value: { type: string; content?: unknown; rawMeta?: unknown } }
export type ParamJson = { name: string; input: BlockInputJson }
export type EdgeJson = { sourceNodeID: string; targetNodeID: string; sourcePortID?: string; targetPortID?: string }
export type NodeJson = {
  id: string
  type: string
  meta: unknown
  data: { nodeMeta: { title: string; description: string }; inputs: Record<string, unknown>; outputs: unknown }
  blocks?: NodeJson[]
  edges?: EdgeJson[]
}
export type CanvasJson = { nodes: NodeJson[]; edges: EdgeJson[]; versions: Record<string, string> }

const ENTRY_ID = '100001'
const EXIT_ID = '900001'

type Part = { nodes: NodeJson[]; edges: EdgeJson[]; parent?: { id: string; kind: 'loop' | 'batch' } }

function createDrawing(part: Part): Drawing {
  const { nodes, edges } = part

  function add(node: NodeJson): Drawing {
    nodes.push(node)
    return drawing
  }

  const drawing: Drawing = {
    entry: (outputs, defaults = {}) => add(toNode({ id: ENTRY_ID, type: 1, title: 'start' }, { outputs: toVariables(outputs, defaults) })),
    exit: (returned) =>
      add(
        toNode({ id: EXIT_ID, type: 2, title: 'end' }, { inputs: { terminatePlan: 'returnVariables', inputParameters: params(returned) } }),
      ),
    answer(content, variables, { streaming = false } = {}) {
      const inputs = { content: input(content), streamingOutput: streaming, inputParameters: params(variables) }
      return add(toNode({ id: EXIT_ID, type: 2, title: 'end' }, { inputs: { terminatePlan: 'useAnswerContent', ...inputs } }))
    },
    node: (id, type, sketch = {}) => add(toSketched(id, type, sketch)),
    selector: (id, branches, sketch = {}) =>
      add(toSketched(id, 8, { ...sketch, inputs: { branches: branches.map(toBranch), ...sketch.inputs } })),
    loop(id, { title, type = 'array', count = 10, params: lists = {}, variables = {}, outputs = {} }, draw) {
      const inputs = { loopType: type, loopCount: input(count), variableParameters: params(variables), inputParameters: params(lists) }
      return add(withBody(toNode({ id, type: 21, title }, { inputs, outputs: params(outputs) }), 'loop', draw))
    },
    batch(id, { title, size = 100, concurrency = 10, params: lists = {}, outputs = {} }, draw) {
      const inputs = { batchSize: input(size), concurrentSize: input(concurrency), inputParameters: params(lists) }
      return add(withBody(toNode({ id, type: 28, title }, { inputs, outputs: params(outputs) }), 'batch', draw))
    },
    edges(...chains) {
      edges.push(...chains.flatMap((chain) => toEdges(chain, part)))
      return drawing
    },
    build: () => structuredClone({ nodes, edges, versions: { loop: 'v2', batch: 'v2' } }),
  }
  return drawing
}

function withBody(node: NodeJson, kind: 'loop' | 'batch', draw: (body: Drawing) => unknown): NodeJson {
  const body = { nodes: [], edges: [], parent: { id: node.id, kind } }
  draw(createDrawing(body))
  return { ...node, blocks: body.nodes, edges: body.edges }
}

/** The output `name` of a node, or what is inside of it; a node's id alone is all of its outputs. */
export function ref(target: string, type: TypeSketch = 'string'): BlockInputJson {
  const [node = '', ...path] = target.split('.')
  const content = { source: 'block-output', blockID: toId(node), name: path.join('.') }
  return { ...typeJson(type), value: { type: 'ref', content } }
}

export function variable(scope: 'app' | 'user' | 'system', name: string, type: TypeSketch = 'string'): BlockInputJson {
  return { ...typeJson(type), value: { type: 'ref', content: { source: `global_variable_${scope}`, path: [name], blockID: '', name: '' } } }
}

/** Lists and objects become JSON text, as the editor writes them. */
export function literal(value: unknown, type: TypeSketch): BlockInputJson {
  const content = typeof value === 'object' && value !== null ? JSON.stringify(value) : value
  return { ...typeJson(type), value: { type: 'literal', content } }
}

/** An object of inputs. */
export function fields(inputs: Params): BlockInputJson {
  return { type: 'object', schema: params(inputs), value: { type: 'object_ref' } }
}

/** One value as a setting that takes a literal or a ref. */
export function input(value: Input): BlockInputJson {
  if (typeof value === 'string') return literal(value, 'string')
  if (typeof value === 'boolean') return literal(value, 'boolean')
  if (typeof value === 'number') return literal(value, Number.isInteger(value) ? 'integer' : 'float')
  return Array.isArray(value) ? literal(value, 'list') : value
}

/** A list of params: what `params` of a node becomes, also for settings such as `llmParam`, `concatParams` and `apiParam`. */
export function params(inputs: Params): ParamJson[] {
  return Object.entries(inputs).map(([name, value]) => ({ name, input: input(value) }))
}

/** Declared variables: what `outputs` of a node becomes. */
export function variables(sketch: TypeFields): { name: string; required: boolean; type: string }[] {
  return Object.entries(sketch).map(([name, type]) => ({ name: name.replace(/!$/, ''), required: name.endsWith('!'), ...typeJson(type) }))
}

const fileWords = ['file', 'image', 'doc', 'code', 'ppt', 'txt', 'excel', 'audio', 'zip', 'video', 'svg', 'voice'] as const
const assistTypes = new Map<string, number>([['time', 10_000], ...fileWords.map((word, index): [string, number] => [word, index + 1])])

export function typeJson(type: TypeSketch): TypeJson {
  if (Array.isArray(type)) return { type: 'list', schema: typeJson(type[0]) }
  if (typeof type === 'object') return { type: 'object', schema: variables(type) }
  const assistType = assistTypes.get(type)
  return assistType === undefined ? { type } : { type: 'string', assistType }
}

function toNode(
  { id, type, title }: { id: string; type: number; title?: string },
  data: { inputs?: Record<string, unknown>; outputs?: unknown },
): NodeJson {
  const nodeMeta = { title: title ?? `node ${id}`, description: '' }
  return {
    id,
    type: String(type),
    meta: { position: { x: 0, y: 0 } },
    data: { nodeMeta, inputs: data.inputs ?? {}, outputs: data.outputs ?? [] },
  }
}

function toSketched(id: string, type: number, { title, params: given, inputs, outputs, onError }: NodeSketch): NodeJson {
  const all = {
    ...(given && { inputParameters: params(given) }),
    ...(onError && { settingOnError: { switch: true, ...onError } }),
    ...inputs,
  }
  return toNode({ id, type, title }, { inputs: all, outputs: variables(outputs ?? {}) })
}

function toVariables(outputs: TypeFields, defaults: Record<string, unknown>): unknown[] {
  return variables(outputs).map((each) => {
    const given = defaults[each.name]
    return given === undefined ? each : { ...each, defaultValue: typeof given === 'string' ? given : JSON.stringify(given) }
  })
}

function toBranch(branch: Branch): unknown {
  const conditions = branch.if.map(([operator, left, right]) => ({
    operator,
    left: { input: input(left) },
    ...(right !== undefined && { right: { input: input(right) } }),
  }))
  return { condition: { logic: branch.any ? 1 : 2, conditions } }
}

function toEdges(chain: string, { parent }: Part): EdgeJson[] {
  const stops = chain.split('>').map((stop) => toStop(stop.trim(), parent))
  return stops.slice(1).map((to, index) => {
    const from = stops[index] ?? to
    const isLast = index === stops.length - 2
    return {
      sourceNodeID: from.id,
      targetNodeID: to.id,
      ...(from.port !== '' && { sourcePortID: from.port }),
      ...(isLast && to.port !== '' && { targetPortID: to.port }),
    }
  })
}

function toStop(stop: string, parent: Part['parent']): { id: string; port: string } {
  if (parent && stop === 'start') return { id: parent.id, port: `${parent.kind}-function-inline-output` }
  if (parent && stop === 'end') return { id: parent.id, port: `${parent.kind}-function-inline-input` }
  const [node = '', port = ''] = stop.split(':')
  return { id: toId(node), port }
}

const ids = new Map([
  ['entry', ENTRY_ID],
  ['exit', EXIT_ID],
])
const toId = (word: string): string => ids.get(word) ?? word
