import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Input } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { isObject, readAt, textAt, writeAt } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'
import styles from './node-panel.module.css'
import { ValueField } from './value-field.tsx'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type InputsFieldProps = { node: CanvasNode; value: Json | undefined; onChange: (value: Json) => void }

/** A list of names with values. */
export function InputsField({ node, value, onChange }: InputsFieldProps) {
  const t = useTexts(workflowEditorTexts)
  const entries = Array.isArray(value) ? value : []
  const replace = (index: number, entry: Json) => onChange(entries.with(index, entry))
  const add = () => onChange([...entries, { name: freeName(entries), input: { type: 'string', value: { type: 'literal', content: '' } } }])

  return (
    <div className={styles.rows}>
      {entries.map((entry, index) => {
        const name = textAt(entry, 'name')
        const write = (path: string, given: Json) => replace(index, writeAt(isObject(entry) ? entry : {}, path, given))
        return (
          <div key={index} className={styles.row} role="group" aria-label={name}>
            <div className={styles.rowHead}>
              <Input
                size="small"
                aria-label={t('field.param_name')}
                value={name}
                onChange={(event) => write('name', event.target.value)}
                className="mono"
              />
              <Button
                size="small"
                type="text"
                icon={<DeleteOutlined aria-hidden />}
                aria-label={t('field.remove', { name })}
                onClick={() => onChange(entries.toSpliced(index, 1))}
              />
            </div>
            <ValueField node={node} label={name} value={readAt(entry, 'input')} onChange={(input) => write('input', input)} />
          </div>
        )
      })}
      <Button size="small" icon={<PlusOutlined aria-hidden />} onClick={add}>
        {t('field.add_input')}
      </Button>
    </div>
  )
}

function freeName(entries: Json[]): string {
  const names = new Set(entries.map((entry) => textAt(entry, 'name')))
  for (let number = 1; ; number += 1) if (!names.has(`input${number}`)) return `input${number}`
}
