import { Input, Select } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { updateNode } from './canvas-edits.ts'
import { isObject, listAt, readAt, textAt, toPlainText, writeAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'
import { indexCanvas } from './canvas-model.ts'
import type { CanvasNode } from './canvas-model.ts'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import { AddButton, FieldRow } from './field-row.tsx'
import styles from './node-panel.module.css'
import { typeOf } from './type-words.ts'
import { ValueField } from './value-field.tsx'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type AssignmentsProps = { node: CanvasNode; value: Json | undefined; onChange: (value: Json) => void }

const EMPTY_VALUE: JsonObject = { type: 'string', value: { type: 'literal', content: '' } }
const toEntries = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.map((each) => (isObject(each) ? each : {})) : [])

/** Variables of the loop that the node is in, and what they become. */
export function LoopAssignments({ node, value, onChange }: AssignmentsProps) {
  const t = useTexts(workflowEditorTexts)
  const loop = useEditorState(({ canvas }) => indexCanvas(canvas).nodes.get(node.parentId ?? ''))
  const variables = loop ? listAt(loop.data, 'inputs.variableParameters') : []
  const entries = toEntries(value)
  const options = variables.map((each) => ({ value: textAt(each, 'name'), label: textAt(each, 'name') }))

  const choose = (entry: JsonObject, name: string): JsonObject => {
    const variable = variables.find((each) => textAt(each, 'name') === name)
    const content = { source: 'block-output', blockID: loop?.id ?? '', name }
    return { ...entry, left: { ...typeOf(readAt(variable, 'input')), value: { type: 'ref', content } } }
  }
  return (
    <div className={styles.rows}>
      {options.length === 0 && <p className="quiet">{t('assign.no_variables')}</p>}
      {entries.map((entry, index) => {
        const name = textAt(entry, 'left.value.content.name')
        return (
          <FieldRow
            key={index}
            name={name}
            onRemove={() => onChange(entries.toSpliced(index, 1))}
            head={
              <Select
                size="small"
                className={styles.wide}
                aria-label={t('assign.variable')}
                placeholder={t('assign.variable')}
                value={name === '' ? undefined : name}
                options={
                  name === '' || options.some((option) => option.value === name) ? options : [{ value: name, label: name }, ...options]
                }
                onChange={(chosen: string) => onChange(entries.with(index, choose(entry, chosen)))}
              />
            }
          >
            <ValueField
              node={node}
              label={t('assign.becomes', { name })}
              value={readAt(entry, 'right')}
              onChange={(input) => onChange(entries.with(index, { ...entry, right: input }))}
            />
          </FieldRow>
        )
      })}
      <AddButton label={t('assign.add')} onClick={() => onChange([...entries, { ...choose({}, ''), right: EMPTY_VALUE }])} />
    </div>
  )
}

const SCOPES = ['app', 'user'] as const
const sourceOf = (scope: string) => `global_variable_${scope}`

/** Variables of the app or of the user, and what they become. */
export function VariableAssignments({ node, value }: Omit<AssignmentsProps, 'onChange'>) {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const entries = toEntries(value)
  // the canvas says the scope of each variable twice
  const write = (next: JsonObject[]) =>
    store.edit((canvas) => updateNode(canvas, node.id, (json) => withAssignments(json, next)), `${node.id} assignments`)

  return (
    <div className={styles.rows}>
      {entries.map((entry, index) => {
        const { scope, name } = variableOf(entry)
        const change = (to: { scope: string; name: string }) => write(entries.with(index, withVariable(entry, to)))
        return (
          <FieldRow
            key={index}
            name={name}
            onRemove={() => write(entries.toSpliced(index, 1))}
            head={
              <>
                <Select
                  size="small"
                  aria-label={t('assign.scope')}
                  value={scope}
                  options={SCOPES.map((each) => ({ value: each, label: t(`assign.of_${each}`) }))}
                  onChange={(chosen: string) => change({ scope: chosen, name })}
                />
                <Input
                  size="small"
                  className="mono"
                  aria-label={t('assign.variable')}
                  placeholder={t('assign.variable')}
                  value={name}
                  onChange={(event) => change({ scope, name: event.target.value })}
                />
              </>
            }
          >
            <ValueField
              node={node}
              label={t('assign.becomes', { name })}
              value={readAt(entry, 'input')}
              onChange={(input) => write(entries.with(index, { ...entry, input, left: { ...readLeft(entry), ...typeOf(input) } }))}
            />
          </FieldRow>
        )
      })}
      <AddButton
        label={t('assign.add')}
        onClick={() => write([...entries, withVariable({ input: EMPTY_VALUE }, { scope: 'app', name: '' })])}
      />
    </div>
  )
}

function variableOf(entry: JsonObject): { scope: string; name: string } {
  const source = textAt(entry, 'left.value.content.source')
  const name = listAt(entry, 'left.value.content.path').map(toPlainText).join('.')
  return { scope: SCOPES.find((scope) => sourceOf(scope) === source) ?? 'app', name }
}

const readLeft = (entry: JsonObject): JsonObject => (isObject(entry.left) ? entry.left : {})

function withVariable(entry: JsonObject, { scope, name }: { scope: string; name: string }): JsonObject {
  const value = { type: 'ref', content: { source: sourceOf(scope), path: [name], blockID: '', name: '' } }
  return { ...entry, name, left: { ...typeOf(readAt(entry, 'input')), ...readLeft(entry), value } }
}

function withAssignments(node: JsonObject, entries: JsonObject[]): JsonObject {
  const scopes = Object.fromEntries(entries.map((entry) => [variableOf(entry).name, textAt(entry, 'left.value.content.source')]))
  return writeAt(writeAt(node, 'data.inputs.inputParameters', entries), 'data.inputs.variableTypeMap', scopes)
}
