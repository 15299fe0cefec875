import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Input } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { renamePorts, setSetting } from './canvas-edits.ts'
import { isObject, parseJsonText, textAt, toPlainText, writeAt } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'
import { useEditorRoom } from './editor-room.ts'
import styles from './node-panel.module.css'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type TextsFieldProps = { node: CanvasNode; value: Json | undefined; path: string; onChange: (value: Json) => void }

/** A list of texts. Where each is a port of the node, its lines move with it. */
export function TextsField({ node, value, path, onChange }: TextsFieldProps) {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const entries = toEntries(value)
  const arePorts = PORT_LISTS.test(path)
  const change = (index: number, text: string) => {
    const entry = entries[index]
    onChange(entries.with(index, isObject(entry) ? writeAt(entry, 'name', text) : text))
  }
  const remove = (index: number) => {
    if (!arePorts) return onChange(entries.toSpliced(index, 1))
    store.edit((canvas) =>
      renamePorts(setSetting(canvas, { id: node.id, path, value: entries.toSpliced(index, 1) }), node.id, (port) =>
        withoutPort(port, index),
      ),
    )
  }

  return (
    <div className={styles.rows}>
      {entries.map((entry, index) => (
        <div key={index} className={styles.rowHead}>
          <Input
            size="small"
            aria-label={t('field.entry', { number: index + 1 })}
            value={isObject(entry) ? textAt(entry, 'name') : toPlainText(entry)}
            onChange={(event) => change(index, event.target.value)}
            dir="auto"
          />
          <Button
            size="small"
            type="text"
            icon={<DeleteOutlined aria-hidden />}
            aria-label={t('field.remove_entry', { number: index + 1 })}
            onClick={() => remove(index)}
          />
        </div>
      ))}
      <Button size="small" icon={<PlusOutlined aria-hidden />} onClick={() => onChange([...entries, arePorts ? { name: '' } : ''])}>
        {t('field.add_text')}
      </Button>
    </div>
  )
}

/** Lists in literals are also written as JSON text. */
function toEntries(value: Json | undefined): Json[] {
  if (Array.isArray(value)) return value
  try {
    const read = typeof value === 'string' && value !== '' ? parseJsonText(value) : []
    return Array.isArray(read) ? read : []
  } catch {
    return []
  }
}

const PORT_LISTS = /(^|\.)(options|intents)$/

function withoutPort(port: string, removed: number): string | undefined {
  const number = /^branch_(\d+)$/.exec(port)?.[1]
  if (number === undefined) return port
  if (Number(number) === removed) return undefined
  return Number(number) > removed ? `branch_${Number(number) - 1}` : port
}
