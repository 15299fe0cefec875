import { Select } from 'antd'
import { useMemo } from 'react'
import { useTexts } from '../../lib/texts.ts'
import type { Translate } from '../../lib/texts.ts'
import { listAt, textAt, toPlainText } from './canvas-json.ts'
import type { JsonObject } from './canvas-json.ts'
import { indexCanvas, nameOf } from './canvas-model.ts'
import type { CanvasIndex, CanvasNode } from './canvas-model.ts'
import { useEditorState } from './editor-room.ts'
import styles from './node-panel.module.css'
import { toTypeWord } from './type-words.ts'
import { listSources } from './value-sources.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type SourceSelectProps = { node: CanvasNode; label: string; value: JsonObject; onChange: (value: JsonObject) => void }

/** What the value refers to: an output of a node that runs before. What it refers to now is shown even when it is gone. */
export function SourceSelect({ node, label, value, onChange }: SourceSelectProps) {
  const t = useTexts(workflowEditorTexts)
  const index = useEditorState(({ canvas }) => indexCanvas(canvas))
  const sources = useMemo(() => listSources(index, node.id), [index, node.id])
  const current = currentOf(value)
  const groups = [...Map.groupBy(sources, ({ nodeId }) => nodeId)].map(([id, of]) => ({
    label: of[0]?.nodeName ?? id,
    options: of.map(({ nodeId, nodeName, name, type }) => ({
      value: keyOf(nodeId, name),
      label: `${nodeName} · ${name}`,
      word: toTypeWord(type).replace(':', ' of '),
    })),
  }))
  const isKnown = current === '' || sources.some(({ nodeId, name }) => keyOf(nodeId, name) === current)
  const options = isKnown
    ? groups
    : [{ label: '…', options: [{ value: current, label: nameGone(value, { index, t }), word: '' }] }, ...groups]

  const choose = (key: string) => {
    const source = sources.find(({ nodeId, name }) => keyOf(nodeId, name) === key)
    if (!source) return
    const content = { source: 'block-output', blockID: source.nodeId, name: source.name }
    onChange({ ...source.type, value: { type: 'ref', content } })
  }
  return (
    <Select
      aria-label={label}
      className={styles.wide}
      value={current || undefined}
      options={options}
      placeholder={t('field.source')}
      notFoundContent={t('field.no_sources')}
      showSearch={{ optionFilterProp: 'label' }}
      status={isKnown ? undefined : 'warning'}
      popupMatchSelectWidth={false}
      optionRender={({ data, label: shown }) => (
        <span className={styles.source}>
          <span dir="auto">{shown}</span>
          <small className="quiet">{'word' in data && typeof data.word === 'string' ? data.word : ''}</small>
        </span>
      )}
      onChange={choose}
    />
  )
}

const keyOf = (nodeId: string, name: string) => `${nodeId} ${name}`

function currentOf(value: JsonObject): string {
  const source = textAt(value, 'value.content.source')
  if (source.startsWith(VARIABLE)) return `${source} ${variableName(value)}`
  const nodeId = textAt(value, 'value.content.blockID')
  return nodeId === '' ? '' : keyOf(nodeId, textAt(value, 'value.content.name'))
}

const VARIABLE = 'global_variable_'
const variableName = (value: JsonObject) => listAt(value, 'value.content.path').map(toPlainText).join('.')

type Naming = { index: CanvasIndex; t: Translate<(typeof workflowEditorTexts)['en']> }

function nameGone(value: JsonObject, { index, t }: Naming): string {
  const source = textAt(value, 'value.content.source')
  if (source.startsWith(VARIABLE)) return t('field.variable', { name: `${source.slice(VARIABLE.length)}.${variableName(value)}` })
  const id = textAt(value, 'value.content.blockID')
  const node = index.nodes.get(id)
  const name = `${node ? nameOf(node) : id} · ${textAt(value, 'value.content.name')}`
  return t('field.gone', { name })
}
