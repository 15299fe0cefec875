import { Select } from 'antd'
import { useDeferredValue, useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { toPlainText } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import { useEditorRoom } from './editor-room.ts'
import styles from './node-panel.module.css'
import { useWorkflowChoice } from './workflow-editor-queries.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type WorkflowFieldProps = { id: string; value: Json | undefined; onChange: (value: Json) => void }

/** Another workflow, by its id. */
export function WorkflowField({ id, value, onChange }: WorkflowFieldProps) {
  const t = useTexts(workflowEditorTexts)
  const { workflowId } = useEditorRoom()
  const [search, setSearch] = useState('')
  const { data, isFetching } = useWorkflowChoice(useDeferredValue(search))
  const current = toPlainText(value)
  const found = (data?.items ?? [])
    .filter((item) => item.id !== workflowId)
    .map((item) => ({ value: item.id, label: `${item.name}${item.version === null ? '' : ` · ${item.version}`}` }))
  const options = current === '' || found.some((item) => item.value === current) ? found : [{ value: current, label: current }, ...found]
  return (
    <Select
      id={id}
      className={styles.wide}
      loading={isFetching}
      value={current || undefined}
      placeholder={t('field.choose_workflow')}
      options={options}
      showSearch={{ filterOption: false, onSearch: setSearch }}
      onChange={onChange}
    />
  )
}
