import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Select } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { renamePorts, setSetting } from './canvas-edits.ts'
import { isObject, listAt, readAt, textAt, writeAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'
import { branchPort } from './canvas-ports.ts'
import { operators } from './condition-operators.ts'
import { useEditorRoom } from './editor-room.ts'
import styles from './node-panel.module.css'
import { ValueField } from './value-field.tsx'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type ConditionsFieldProps = { node: CanvasNode; value: Json | undefined; path: string }

/** The branches of a selector. A branch that is removed takes its lines along; those behind it keep theirs. */
export function ConditionsField({ node, value, path }: ConditionsFieldProps) {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const branches = Array.isArray(value) ? value : []
  const write = (next: Json[]) => store.edit((canvas) => setSetting(canvas, { id: node.id, path, value: next }), `${node.id} ${path}`)
  const remove = (index: number) =>
    store.edit((canvas) =>
      renamePorts(setSetting(canvas, { id: node.id, path, value: branches.toSpliced(index, 1) }), node.id, (port) =>
        withoutBranch(port, index),
      ),
    )

  return (
    <div className={styles.rows}>
      {branches.map((branch, index) => {
        const name = t('port.branch', { number: index + 1 })
        return (
          <div key={index} className={styles.row} role="group" aria-label={name}>
            <div className={styles.rowHead}>
              <strong>{name}</strong>
              <Button
                size="small"
                type="text"
                icon={<DeleteOutlined aria-hidden />}
                aria-label={t('field.remove', { name })}
                disabled={branches.length === 1}
                onClick={() => remove(index)}
              />
            </div>
            <Branch node={node} branch={isObject(branch) ? branch : {}} onChange={(changed) => write(branches.with(index, changed))} />
          </div>
        )
      })}
      <Button size="small" icon={<PlusOutlined aria-hidden />} onClick={() => write([...branches, NEW_BRANCH])}>
        {t('field.add_branch')}
      </Button>
    </div>
  )
}

const NEW_CONDITION: JsonObject = {
  operator: 1,
  left: { input: { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '', name: '' } } } },
  right: { input: { type: 'string', value: { type: 'literal', content: '' } } },
}
const NEW_BRANCH: JsonObject = { condition: { logic: 2, conditions: [NEW_CONDITION] } }

function Branch({ node, branch, onChange }: { node: CanvasNode; branch: JsonObject; onChange: (branch: JsonObject) => void }) {
  const t = useTexts(workflowEditorTexts)
  const conditions = listAt(branch, 'condition.conditions')
  const write = (next: Json[]) => onChange(writeAt(branch, 'condition.conditions', next))
  return (
    <>
      {conditions.length > 1 && (
        <Select
          size="small"
          aria-label={t('field.logic')}
          value={textAt(branch, 'condition.logic') === '1' ? 1 : 2}
          onChange={(logic: number) => onChange(writeAt(branch, 'condition.logic', logic))}
          options={[
            { value: 2, label: t('field.all') },
            { value: 1, label: t('field.any') },
          ]}
        />
      )}
      {conditions.map((condition, index) => (
        <Condition
          key={index}
          node={node}
          condition={isObject(condition) ? condition : {}}
          onChange={(changed) => write(conditions.with(index, changed))}
          onRemove={conditions.length > 1 ? () => write(conditions.toSpliced(index, 1)) : undefined}
        />
      ))}
      <Button size="small" type="dashed" icon={<PlusOutlined aria-hidden />} onClick={() => write([...conditions, NEW_CONDITION])}>
        {t('field.add_condition')}
      </Button>
    </>
  )
}

type ConditionProps = { node: CanvasNode; condition: JsonObject; onChange: (condition: JsonObject) => void; onRemove?: () => void }

function Condition({ node, condition, onChange, onRemove }: ConditionProps) {
  const t = useTexts(workflowEditorTexts)
  const operator = operators.find(({ code }) => String(code) === textAt(condition, 'operator'))
  const choose = (code: number) => {
    const isUnary = operators.find((each) => each.code === code)?.isUnary
    const sided = isUnary ? undefined : (readAt(condition, 'right') ?? NEW_CONDITION.right)
    onChange(writeAt(writeAt(condition, 'operator', code), 'right', sided))
  }
  return (
    <div className={styles.condition}>
      <ValueField
        node={node}
        label={t('field.left')}
        value={readAt(condition, 'left.input')}
        onChange={(input) => onChange(writeAt(condition, 'left.input', input))}
      />
      <div className={styles.rowHead}>
        <Select
          size="small"
          className={styles.wide}
          aria-label={t('field.operator')}
          value={operator?.code}
          options={operators.map(({ code, name }) => ({ value: code, label: t(`operator.${name}`) }))}
          onChange={choose}
        />
        {onRemove && (
          <Button
            size="small"
            type="text"
            icon={<DeleteOutlined aria-hidden />}
            aria-label={t('field.remove', { name: t('field.operator') })}
            onClick={onRemove}
          />
        )}
      </div>
      {!operator?.isUnary && (
        <ValueField
          node={node}
          label={t('field.right')}
          value={readAt(condition, 'right.input')}
          onChange={(input) => onChange(writeAt(condition, 'right.input', input))}
        />
      )}
    </div>
  )
}

function withoutBranch(port: string, removed: number): string | undefined {
  const index = port === 'true' ? 0 : Number(/^true_(\d+)$/.exec(port)?.[1] ?? NaN)
  if (Number.isNaN(index) || index < removed) return port
  return index === removed ? undefined : branchPort(index - 1)
}
