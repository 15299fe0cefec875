import { createHash } from 'node:crypto'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import type { Binding, Source, VariableScope } from '../engine/graph.ts'
import { parseTemplate } from '../values/template.ts'
import type { Template, TemplatePart } from '../values/template.ts'

/**
 * A text whose placeholders name their sources themselves: `{{block_output_<nodeId>.<path>}}` and `{{global_variable_app["name"]}}`.
 * Each becomes an input, called `prefix` and the MD5 of the placeholder; any other placeholder stays as it is written.
 */
export function parseSourceText(text: string, { prefix, at }: { prefix: string; at: string }): { template: Template; inputs: Binding[] } {
  const parts: TemplatePart[] = []
  const inputs = new Map<string, Binding>()
  let done = 0
  for (const { 0: whole, 1: key = '', index } of text.matchAll(/\{\{\s*([^{}]+)\}\}/g)) {
    const found = parseSource(key, at)
    if (!found) continue

    const name = inputName(prefix, key)
    inputs.set(name, { name, source: found.source })
    parts.push(...parseTemplate(text.slice(done, index)).parts, { kind: 'placeholder', key, root: name, path: found.rest })
    done = index + whole.length
  }
  parts.push(...parseTemplate(text.slice(done)).parts)
  return { template: { parts }, inputs: [...inputs.values()] }
}

/** The name that logs and debug calls know an input by. */
export const inputName = (prefix: string, text: string): string => prefix + createHash('md5').update(text).digest('hex')

/** `rest` is the way on from an index, which a source cannot have. */
type Found = { source: Source; rest: Steps }
type Steps = (string | number)[]

function parseSource(key: string, at: string): Found | undefined {
  const [, scope, name, rest = ''] = /^global_variable_(app|user|system)\s*\["([^"]*)"\](.*)$/s.exec(key) ?? []
  if (scope !== undefined && name !== undefined) {
    const steps = parseSteps(`variable${rest}`)
    return steps && { source: { from: 'variable', scope: parseScope(scope), path: [name] }, rest: steps.path }
  }
  return key.startsWith(NODE) ? parseNodeSource(key, at) : undefined
}

const NODE = 'block_output_'

const parseScope = (text: string): VariableScope => (text === 'app' || text === 'user' ? text : 'system')

function parseNodeSource(key: string, at: string): Found | undefined {
  const steps = parseSteps(key)
  // blanks behind a key belong to it: it is no name then
  if (!steps || /\s$/.test(key)) return undefined

  const { root, path } = steps
  const indexAt = path.findIndex((step) => typeof step === 'number')
  const length = indexAt < 0 ? path.length : indexAt
  const names = path.slice(0, length).map(String)
  const nodeId = root.slice(NODE.length)
  if (nodeId === '' || names.length === 0)
    throw new CanvasProblem(at, `the placeholder {{${key}}} must name a node and one of its outputs, as {{block_output_100001.name}} does`)
  return { source: { from: 'node', nodeId, path: names }, rest: path.slice(length) }
}

/** Undefined for what the template language does not take for a placeholder. */
function parseSteps(key: string): { root: string; path: Steps } | undefined {
  const [part, ...more] = parseTemplate(`{{${key}}}`).parts
  return part?.kind === 'placeholder' && more.length === 0 ? part : undefined
}
