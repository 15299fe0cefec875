/** What an editor needs to know of a kind of node, beside how it runs. */
export type NodeKind = {
  /** `type` in a canvas. */
  code: string
  label: Words
  description: Words
  group: NodeGroup
  /** Where edges begin. */
  ports: Port[]
  /** More ports, by the settings. */
  portRule: 'none' | 'conditions' | 'options' | 'intents'
  hasInput: boolean
  /** Has nodes of its own. */
  hasBody: boolean
  /** May stand only in such a body. */
  onlyInBody: boolean
  handlesErrors: boolean
  /** There may be more than one. */
  canAdd: boolean
  settings: SettingHint[]
  /** `data` of a new node. */
  initial: Record<string, unknown>
}

export type Words = { en: string; zh: string }
export type NodeGroup = 'flow' | 'logic' | 'ai' | 'data' | 'tools' | 'chat' | 'other'
export type Port = { id: string; label: Words }

export type SettingKind =
  | ('text' | 'long_text' | 'number' | 'boolean' | 'select' | 'code' | 'inputs' | 'outputs')
  | ('value' | 'texts' | 'conditions' | 'model' | 'workflow' | 'json')

export type SettingHint = {
  /** Below the node's `data`. */
  path: string
  /** The entry of this name in a list of `{name, input}`. */
  param?: string
  kind: SettingKind
  label: Words
  options?: { value: string | number; label: Words }[]
}

export const words = (en: string, zh: string): Words => ({ en, zh })

type Sketch = Pick<NodeKind, 'code' | 'label' | 'description' | 'group' | 'initial'> & Partial<NodeKind>

/** A plain one: edges come and go, errors end the run. */
export const kind = (sketch: Sketch): NodeKind => ({
  ports: [{ id: '', label: words('', '') }],
  ...{ portRule: 'none', hasInput: true, hasBody: false, onlyInBody: false, handlesErrors: false, canAdd: true, settings: [] },
  ...sketch,
})

/** Hints that many kinds share. */
export const hints = {
  inputs: { path: 'inputs.inputParameters', kind: 'inputs', label: words('Inputs', '输入') },
  outputs: { path: 'outputs', kind: 'outputs', label: words('Outputs', '输出') },
} satisfies Record<string, SettingHint>

/** Values as canvases write them. */
export const literal = (type: string, content: unknown) => ({ type, value: { type: 'literal', content } })
export const textInput = (name: string, content = '') => ({ name, input: literal('string', content) })
export const reference = (type = 'string') => ({
  ...{ type, value: { type: 'ref', content: { source: 'block-output', blockID: '', name: '' } } },
})
export const variable = (name: string, type = 'string') => ({ name, type })
export const listVariable = (name: string, fields: { name: string; type: string }[]) => ({
  ...{ name, type: 'list', schema: { type: 'object', schema: fields } },
})
export const titled = (title: string, data: Record<string, unknown>) => ({ nodeMeta: { title, description: '' }, ...data })
