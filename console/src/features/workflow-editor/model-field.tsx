import { Select } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { ExactNumber, toPlainText } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import styles from './node-panel.module.css'
import { useModelChoice } from './workflow-editor-queries.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type ModelFieldProps = { id: string; value: Json | undefined; onChange: (value: Json) => void }

/** Models by their number. One that is not set up here means the default one, and is shown as what it is. */
export function ModelField({ id, value, onChange }: ModelFieldProps) {
  const t = useTexts(workflowEditorTexts)
  const { data, isLoading } = useModelChoice()
  const current = toPlainText(value)
  const models = (data?.items ?? []).map((model) => ({ value: model.id, label: model.name }))
  const isKnown = current === '' || models.some((model) => model.value === current)
  const options = isKnown ? models : [{ value: current, label: `${current} (${t('field.model_default')})` }, ...models]
  const choose = (chosen: string) => onChange(typeof value === 'string' ? chosen : toNumber(chosen))
  return (
    <Select
      id={id}
      className={styles.wide}
      loading={isLoading}
      value={current || undefined}
      placeholder={t('field.model_default')}
      options={options}
      showSearch={{ optionFilterProp: 'label' }}
      onChange={choose}
    />
  )
}

const toNumber = (digits: string) => (String(Number(digits)) === digits ? Number(digits) : new ExactNumber(digits))
