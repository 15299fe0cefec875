import { Select } from 'antd'
import { useMemo } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { indexCanvas, nameOf } from './canvas-model.ts'
import type { CanvasIndex, CanvasNode } from './canvas-model.ts'
import { portsOf } from './canvas-ports.ts'
import type { Port } from './canvas-ports.ts'
import { setTargets } from './connect-nodes.ts'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import styles from './node-panel.module.css'
import { usePortNaming } from './use-port-naming.ts'
import type { NodeTypeMap } from './workflow-editor-queries.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

/** Where the ports of a node lead to, without a mouse. */
export function ConnectionsField({ node }: { node: CanvasNode }) {
  const t = useTexts(workflowEditorTexts)
  const { store, types } = useEditorRoom()
  const naming = usePortNaming()
  const index = useEditorState(({ canvas }) => indexCanvas(canvas))
  const ports = portsOf(node, types.get(node.type), naming)
  const choices = useMemo(() => toChoices(index, { node, types }), [index, node, types])
  if (ports.length === 0) return null

  const endsPass = node.parentId === undefined ? [] : [{ value: node.parentId, label: t('node.ends_pass') }]
  return (
    <fieldset className={styles.section}>
      <legend>{t('node.leads_to')}</legend>
      <p className="quiet">{t('node.leads_hint')}</p>
      {ports.map((port) => {
        const label = port.isInner ? t('node.begins_with') : port.name === '' ? t('node.onwards') : port.name
        return (
          <div key={port.id} className={styles.field}>
            <label htmlFor={fieldId(node, port)}>{label}</label>
            <Select
              id={fieldId(node, port)}
              mode="multiple"
              className={styles.wide}
              value={index.edges.filter(({ from, fromPort }) => from === node.id && fromPort === port.id).map(({ to }) => to)}
              options={port.isInner ? choices.body : [...endsPass, ...choices.beside]}
              showSearch={{ optionFilterProp: 'label' }}
              onChange={(targets: string[]) => store.edit((canvas) => setTargets(canvas, { id: node.id, port: port.id, targets }))}
            />
          </div>
        )
      })}
    </fieldset>
  )
}

const fieldId = ({ id }: CanvasNode, port: Port) => `port-${id}-${port.id}`

function toChoices(index: CanvasIndex, { node, types }: { node: CanvasNode; types: NodeTypeMap }) {
  const all = [...index.nodes.values()].filter((each) => each.id !== node.id && (types.get(each.type)?.has_input ?? true))
  const toOption = (each: CanvasNode) => ({ value: each.id, label: nameOf(each) })
  return {
    beside: all.filter(({ parentId }) => parentId === node.parentId).map(toOption),
    body: all.filter(({ parentId }) => parentId === node.id).map(toOption),
  }
}
