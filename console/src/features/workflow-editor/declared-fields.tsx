import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Checkbox, Input, Select } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { isObject, readAt, textAt, writeAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'
import styles from './node-panel.module.css'
import { toTypeWord, typeWords, withType } from './type-words.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

const MAX_DEPTH = 4

export type DeclaredFieldsProps = { value: Json | undefined; onChange: (value: Json) => void; addLabel?: string; depth?: number }

/** A list of declared variables; objects have lists of their own. */
export function DeclaredFields({ value, onChange, addLabel, depth = 0 }: DeclaredFieldsProps) {
  const t = useTexts(workflowEditorTexts)
  const fields = Array.isArray(value) ? value : []
  const add = () => onChange([...fields, { name: freeName(fields), type: 'string', required: false }])
  return (
    <div className={styles.rows}>
      {fields.map((field, index) => (
        <DeclaredField
          key={index}
          field={isObject(field) ? field : {}}
          depth={depth}
          onChange={(changed) => onChange(fields.with(index, changed))}
          onRemove={() => onChange(fields.toSpliced(index, 1))}
        />
      ))}
      <Button size="small" icon={<PlusOutlined aria-hidden />} onClick={add}>
        {addLabel ?? t(depth === 0 ? 'field.add_output' : 'field.add_field')}
      </Button>
    </div>
  )
}

type DeclaredFieldProps = { field: JsonObject; depth: number; onChange: (field: JsonObject) => void; onRemove: () => void }

function DeclaredField({ field, depth, onChange, onRemove }: DeclaredFieldProps) {
  const t = useTexts(workflowEditorTexts)
  const name = textAt(field, 'name')
  const word = toTypeWord(field)
  const options = (typeWords.includes(word) ? typeWords : [word, ...typeWords]).map((each) => ({
    value: each,
    label: each.replace(':', ' of '),
  }))
  const inner = innerFields(field, word)

  return (
    <div className={styles.row} role="group" aria-label={name}>
      <div className={styles.rowHead}>
        <Input
          size="small"
          aria-label={t('field.param_name')}
          value={name}
          onChange={(event) => onChange(writeAt(field, 'name', event.target.value))}
          className="mono"
        />
        <Select
          size="small"
          aria-label={`${name}: ${t('field.type')}`}
          value={word}
          options={options}
          showSearch
          popupMatchSelectWidth={false}
          onChange={(chosen: string) => onChange(withType(field, chosen))}
        />
        <Button
          size="small"
          type="text"
          icon={<DeleteOutlined aria-hidden />}
          aria-label={t('field.remove', { name })}
          onClick={onRemove}
        />
      </div>
      <Input
        size="small"
        aria-label={`${name}: ${t('field.description')}`}
        placeholder={t('field.description')}
        value={textAt(field, 'description')}
        onChange={(event) => onChange(writeAt(field, 'description', event.target.value))}
        dir="auto"
      />
      <Checkbox
        checked={readAt(field, 'required') === true}
        onChange={(event) => onChange(writeAt(field, 'required', event.target.checked))}
      >
        {t('field.required')}
      </Checkbox>
      {inner && depth < MAX_DEPTH && (
        <DeclaredFields value={inner.fields} depth={depth + 1} onChange={(fields) => onChange(writeAt(field, inner.path, fields))} />
      )}
    </div>
  )
}

function innerFields(field: JsonObject, word: string): { path: string; fields: Json | undefined } | undefined {
  if (word === 'object') return { path: 'schema', fields: readAt(field, 'schema') }
  return word === 'list:object' ? { path: 'schema.schema', fields: readAt(field, 'schema.schema') } : undefined
}

function freeName(fields: Json[]): string {
  const names = new Set(fields.map((field) => textAt(field, 'name')))
  for (let number = 1; ; number += 1) if (!names.has(`field${number}`)) return `field${number}`
}
