import type { NodeTypeInfo } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import type { Language } from '../../lib/languages.ts'
import { listAt, readAt, textAt, toPlainText } from './canvas-json.ts'
import { BATCH } from './canvas-model.ts'
import type { CanvasNode } from './canvas-model.ts'

/** Where edges leave a node. `name` is empty for the plain output, which needs none. */
export type Port = { id: string; name: string; isInner: boolean }

export type PortWords = { otherwise: string; branch(index: number): string; error: string }

export const INNER_PORT = /-function-inline-/

/** By type and settings. A kind that nobody knows has the plain output. */
export function portsOf(node: CanvasNode, type: NodeTypeInfo | undefined, { words, language }: PortNaming): Port[] {
  if (!type) return [plain]
  if (type.has_body) return bodyPorts(type)
  const own = type.ports.map(({ id, label }) => ({ id, name: id === '' ? '' : label[language], isInner: INNER_PORT.test(id) }))
  const ruled = ruledPorts(node, type, words)
  const ports = ruled.length > 0 ? [...ruled, ...own.filter(({ id }) => id !== '' && !ruled.some((port) => port.id === id))] : own
  return hasErrorBranch(node, type) ? withErrorBranch(ports, words) : ports
}

export type PortNaming = { words: PortWords; language: Language }

/** What follows, and where the body begins. */
function bodyPorts({ code }: NodeTypeInfo): Port[] {
  const kind = code === BATCH ? 'batch' : 'loop'
  return [
    { id: `${kind}-output`, name: '', isInner: false },
    { id: `${kind}-function-inline-output`, name: '', isInner: true },
  ]
}

/** Where a body ends: the port of its loop or batch that edges come in by. */
export const bodyEndPort = (type: string): string => `${type === BATCH ? 'batch' : 'loop'}-function-inline-input`

const plain: Port = { id: '', name: '', isInner: false }
const named = (id: string, name: string): Port => ({ id, name, isInner: false })

function ruledPorts({ data }: CanvasNode, { port_rule }: NodeTypeInfo, words: PortWords): Port[] {
  switch (port_rule) {
    case 'none':
      return []
    case 'conditions': {
      const branches = listAt(data, 'inputs.branches').map((_branch, index) => named(branchPort(index), words.branch(index)))
      return [...branches, named('false', words.otherwise)]
    }
    case 'options':
      if (textAt(data, 'inputs.answer_type') !== 'option') return []
      if (textAt(data, 'inputs.option_type') === 'dynamic') return [named('branch_0', words.branch(0)), named('default', words.otherwise)]
      return [...listedPorts(data, 'inputs.options', words), named('default', words.otherwise)]
    case 'intents':
      return [...listedPorts(data, 'inputs.intents', words), named('default', words.otherwise)]
  }
}

/** `true`, `true_1`, …. */
export const branchPort = (index: number): string => (index === 0 ? 'true' : `true_${index}`)

const listedPorts = (data: CanvasNode['data'], path: string, words: PortWords) =>
  listAt(data, path).map((each, index) => named(`branch_${index}`, textAt(each, 'name') || words.branch(index)))

export const BRANCH_ERROR = 'branch_error'

function hasErrorBranch({ data }: CanvasNode, { handles_errors }: NodeTypeInfo): boolean {
  const setting = readAt(data, 'inputs.settingOnError')
  return handles_errors && readAt(setting, 'switch') === true && toPlainText(readAt(setting, 'processType')) === '3'
}

function withErrorBranch(ports: Port[], words: PortWords): Port[] {
  // what goes well leaves by a port with a name as soon as there are two ways
  const good = ports.map((port) => (port.id === '' ? { ...port, id: 'default' } : port))
  return [...good, named(BRANCH_ERROR, words.error)]
}
