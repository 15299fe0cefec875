import { convertValue } from '../values/convert-value.ts'
import { readPath } from '../values/read-path.ts'
import type { ValueType } from '../values/value-type.ts'
import type { Value, ValueObject } from '../values/value.ts'
import { BRANCH_ERROR } from './error-policy.ts'
import type { Binding, GraphNode, Source } from './graph.ts'
import { NodeError, nodeErrors } from './node-error.ts'
import type { NodeServices } from './node-services.ts'
import { findOutcome } from './run-scope.ts'
import type { Scope } from './run-scope.ts'
import type { TextStream } from './text-stream.ts'

export type CollectedInputs = {
  values: ValueObject
  /** Texts that are or were written piece by piece, for types that read streams. */
  streams: Record<string, TextStream>
  /** Names of inputs whose source was skipped. */
  skipped: Set<string>
  warnings: string[]
}

export type Collecting = {
  node: GraphNode
  scope: Scope
  services: NodeServices
  /** The run is in stream mode: there what a source does not have is absent, elsewhere it is an error. */
  streams: boolean
}

/** Every input from its source, converted to its declared type; what was skipped is absent. */
export async function collectInputs({ node, ...around }: Collecting): Promise<CollectedInputs> {
  const { scope } = around
  const collected: CollectedInputs = { values: {}, streams: {}, skipped: new Set(), warnings: [] }
  for (const { name, type, source } of node.inputs) {
    if (isSkipped(source, scope)) collected.skipped.add(name)
    const stream = node.type.readsStreams && takesText(type) ? findStream(scope, source) : undefined
    if (stream) {
      addOwn(collected.streams, name, stream)
      continue
    }
    const pending = resolve(source, around)
    // most sources are at hand: a promise for each would be most of what a small node costs
    const value = pending instanceof Promise ? await pending : pending
    if (value === undefined) continue
    const converted = type ? convertValue(value, type) : { value, warnings: [], missing: [] }
    if (converted.missing.length > 0) throw missingField(node, name, converted.missing)
    setOwn(collected.values, name, converted.value)
    for (const warning of converted.warnings) collected.warnings.push(`${name}: ${warning}`)
  }
  return collected
}

function missingField({ title }: GraphNode, name: string, missing: string[]): NodeError {
  return new NodeError(nodeErrors.missingParameter, `the input ${name} of the node ${title} lacks the required field ${missing.join(', ')}`)
}

/** An object is skipped with all that it is put together from. */
function isSkipped(source: Source, scope: Scope): boolean {
  if (source.from === 'node') return findOutcome(scope, source.nodeId)?.kind === 'skipped'
  return source.from === 'fields' && source.fields.length > 0 && source.fields.every((field) => isSkipped(field.source, scope))
}

/** Whether a text can be taken as it is; as a value of another type it has to be whole first. */
export const takesText = (type: ValueType | undefined): boolean => type === undefined || type.kind === 'string'

/** The stream this source is or was. */
function findStream(scope: Scope, source: Source): TextStream | undefined {
  if (source.from !== 'node') return undefined
  const outcome = findOutcome(scope, source.nodeId)
  const [name, ...deeper] = source.path
  if (!outcome || outcome.kind === 'skipped' || name === undefined || deeper.length > 0) return undefined
  return outcome.streams && Object.hasOwn(outcome.streams, name) ? outcome.streams[name] : undefined
}

type Around = Omit<Collecting, 'node'>

function resolve(source: Source, around: Around): Value | undefined | Promise<Value | undefined> {
  switch (source.from) {
    case 'literal':
      return source.value
    case 'node':
      return readOutput(source, around)
    case 'variable':
      return readVariable(source, around.services)
    case 'fields':
      return gather(source.fields, around)
  }
}

const ENTRY = '100001'
/** Made by error handling only, so that they are absent now and then. */
const sometimesAbsent = new Set(['errorBody', 'isSuccess'])

function readOutput({ nodeId, path }: Source & { from: 'node' }, { scope, streams }: Around): Value | undefined {
  const outcome = findOutcome(scope, nodeId)
  if (!outcome || outcome.kind === 'skipped') return undefined
  if (outcome.kind === 'streaming') throw new Error(`node ${nodeId} is read before it is done`)

  const value = readPath(outcome.outputs, path, { drills: nodeId !== ENTRY })
  const mayBeAbsent = streams || outcome.port === BRANCH_ERROR || sometimesAbsent.has(path[0] ?? '')
  if (value === undefined && !mayBeAbsent)
    throw new NodeError(nodeErrors.executionFailed, `the node ${nodeId} has no output ${JSON.stringify(path.join('.'))}`)
  return value
}

async function readVariable({ scope, path }: Source & { from: 'variable' }, { variables }: NodeServices): Promise<Value | undefined> {
  const [name = '', ...deeper] = path
  const value = await variables.read(scope, name)
  return deeper.length === 0 ? value : readPath(value, deeper, { drills: true })
}

async function gather(fields: Binding[], around: Around): Promise<ValueObject> {
  const object: ValueObject = {}
  for (const { name, type, source } of fields) {
    const value = await resolve(source, around)
    if (value !== undefined) setOwn(object, name, type ? convertValue(value, type).value : value)
  }
  return object
}

export const setOwn = (object: ValueObject, name: string, value: Value): void => addOwn(object, name, value)

/** @NOTE a name may be `__proto__`: plain assignment would not make a field of it */
function addOwn<T>(object: Record<string, T>, name: string, value: T): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}
