import { Button, Input, InputNumber, Select, Switch } from 'antd'
import { useId } from 'react'
import type { SettingHint } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { updateNode } from './canvas-edits.ts'
import { isObject, readAt, toPlainText, writeAt } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import { ENTRY } from './canvas-model.ts'
import type { CanvasNode } from './canvas-model.ts'
import { readNote, toNote } from './comment-note.ts'
import { AskedFields } from './asked-fields.tsx'
import { LoopAssignments, VariableAssignments } from './assignments-field.tsx'
import { ConditionsField } from './conditions-field.tsx'
import { DeclaredFields } from './declared-fields.tsx'
import { useEditorRoom } from './editor-room.ts'
import { GroupsField } from './groups-field.tsx'
import { HttpAuthField } from './http-auth-field.tsx'
import { InputsField } from './inputs-field.tsx'
import { JsonField } from './json-field.tsx'
import { ModelField } from './model-field.tsx'
import styles from './node-panel.module.css'
import { formOf } from './setting-forms.ts'
import type { SettingForm } from './setting-forms.ts'
import { isReference, readSetting, writeSetting } from './node-settings.ts'
import { TextsField } from './texts-field.tsx'
import { ValueField } from './value-field.tsx'
import { WorkflowField } from './workflow-field.tsx'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

/** One setting of a node, in the form that fits it. */
export function SettingField({ node, hint }: { node: CanvasNode; hint: SettingHint }) {
  const { store } = useEditorRoom()
  const language = useLanguage()
  const id = useId()
  const label = hint.label[language]
  const change = (value: Json | undefined) =>
    store.edit(
      (canvas) =>
        updateNode(canvas, node.id, (json) => {
          const data = readAt(json, 'data')
          return writeAt(json, 'data', writeSetting(isObject(data) ? data : {}, hint, value))
        }),
      `${node.id} ${hint.path} ${hint.param ?? ''}`,
    )
  const props: FieldProps = { id, label, hint, node, value: readSetting(node.data, hint), onChange: change }

  if (isReference(node.data, hint)) return <Referenced {...props} />
  if (SECTIONS.includes(formOf(node, hint))) {
    return (
      <fieldset className={styles.section}>
        <legend>{label}</legend>
        <SectionField {...props} />
      </fieldset>
    )
  }
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <PlainField {...props} />
    </div>
  )
}

export type FieldProps = {
  id: string
  label: string
  hint: SettingHint
  node: CanvasNode
  value: Json | undefined
  onChange: (value: Json | undefined) => void
}

const SECTIONS: SettingForm[] = [
  ...(['inputs', 'outputs', 'conditions', 'texts', 'value'] as const),
  ...(['loop_assignments', 'variable_assignments', 'groups', 'http_auth', 'asked_fields'] as const),
]

function SectionField({ hint, node, label, value, onChange }: FieldProps) {
  const t = useTexts(workflowEditorTexts)
  switch (formOf(node, hint)) {
    case 'inputs':
      return <InputsField node={node} value={value} onChange={onChange} />
    case 'outputs':
      return <DeclaredFields value={value} onChange={onChange} addLabel={node.type === ENTRY ? t('field.add_parameter') : undefined} />
    case 'conditions':
      return <ConditionsField node={node} value={value} path={hint.path} />
    case 'texts':
      return <TextsField node={node} value={value} path={hint.path} onChange={onChange} />
    case 'loop_assignments':
      return <LoopAssignments node={node} value={value} onChange={onChange} />
    case 'variable_assignments':
      return <VariableAssignments node={node} value={value} />
    case 'groups':
      return <GroupsField node={node} value={value} />
    case 'http_auth':
      return <HttpAuthField node={node} value={value} onChange={onChange} />
    case 'asked_fields':
      return <AskedFields node={node} value={value} />
    default:
      return <ValueField node={node} label={label} value={value} onChange={onChange} />
  }
}

function PlainField(props: FieldProps) {
  const { id, hint, node, value, onChange } = props
  switch (hint.kind) {
    case 'number':
      return <NumberSetting id={id} value={value} onChange={onChange} />
    case 'boolean':
      return <Switch id={id} checked={value === true || value === 'true'} onChange={onChange} />
    case 'select':
      return <ChoiceSetting {...props} />
    case 'model':
      return <ModelField id={id} value={value} onChange={onChange} />
    case 'workflow':
      return <WorkflowField id={id} value={value} onChange={onChange} />
    case 'json':
      return <JsonField id={id} value={value} onChange={onChange} />
    case 'code':
      return <LongText id={id} value={value} onChange={onChange} isCode />
    case 'long_text':
      return hint.path === NOTE ? (
        <NoteSetting id={id} node={node} onChange={onChange} />
      ) : (
        <LongText id={id} value={value} onChange={onChange} />
      )
    default:
      return <Input id={id} value={toPlainText(value)} onChange={(event) => onChange(event.target.value)} dir="auto" />
  }
}

function ChoiceSetting({ id, hint, value, onChange }: FieldProps) {
  const language = useLanguage()
  const options = (hint.options ?? []).map((option) => ({ value: String(option.value), label: option.label[language] }))
  const choose = (chosen: string) => onChange(hint.options?.find((option) => String(option.value) === chosen)?.value)
  return <Select id={id} value={toPlainText(value) || undefined} options={options} onChange={choose} className={styles.wide} />
}

function LongText({ id, value, onChange, isCode = false }: Plain & { isCode?: boolean }) {
  return (
    <GrowingTextArea
      id={id}
      value={toPlainText(value)}
      onChange={(event) => onChange(event.target.value)}
      minRows={isCode ? 10 : 3}
      maxRows={isCode ? 30 : 16}
      className={isCode ? 'mono' : undefined}
      spellCheck={!isCode}
      dir="auto"
    />
  )
}

const NOTE = 'inputs.note'

function NoteSetting({ id, node, onChange }: Pick<FieldProps, 'id' | 'node' | 'onChange'>) {
  const change = (text: string) => onChange(toNote(text))
  return (
    <GrowingTextArea id={id} value={readNote(node)} onChange={(event) => change(event.target.value)} minRows={4} maxRows={16} dir="auto" />
  )
}

type Plain = Pick<FieldProps, 'id' | 'value' | 'onChange'>

/** A number that is kept as text stays text. */
function NumberSetting({ id, value, onChange }: Plain) {
  const text = toPlainText(value)
  const change = (given: string | null) => {
    if (given === null || given === '') onChange(undefined)
    else onChange(typeof value === 'string' ? given : Number(given))
  }
  return <InputNumber id={id} stringMode value={text === '' ? null : text} onChange={change} className={styles.wide} />
}

function Referenced({ label, hint, node, onChange }: FieldProps) {
  const t = useTexts(workflowEditorTexts)
  const whole = { ...hint, kind: 'value' as const }
  const { store } = useEditorRoom()
  const change = (value: Json | undefined) =>
    store.edit((canvas) =>
      updateNode(canvas, node.id, (json) => {
        const data = readAt(json, 'data')
        return writeAt(json, 'data', writeSetting(isObject(data) ? data : {}, whole, value))
      }),
    )
  return (
    <fieldset className={styles.section}>
      <legend>{label}</legend>
      <p className="quiet">{t('field.is_reference')}</p>
      <ValueField node={node} label={label} value={readSetting(node.data, whole)} onChange={change} />
      <Button size="small" onClick={() => onChange('')}>
        {t('field.use_fixed')}
      </Button>
    </fieldset>
  )
}
