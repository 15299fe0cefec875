import { Input } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { updateNode } from './canvas-edits.ts'
import { isObject, listAt, textAt, writeAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'
import { useEditorRoom } from './editor-room.ts'
import { AddButton, FieldRow } from './field-row.tsx'
import styles from './node-panel.module.css'
import { SourceSelect } from './source-select.tsx'
import { typeOf } from './type-words.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

const NO_REFERENCE: JsonObject = { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '', name: '' } } }
const toObject = (value: Json): JsonObject => (isObject(value) ? value : {})

/** Groups of values, of each of which the first one that is there is the output of that name. */
export function GroupsField({ node, value }: { node: CanvasNode; value: Json | undefined }) {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const groups = (Array.isArray(value) ? value : []).map(toObject)
  const write = (next: JsonObject[]) =>
    store.edit((canvas) => updateNode(canvas, node.id, (json) => withGroups(json, groups, next)), `${node.id} groups`)

  return (
    <div className={styles.rows}>
      {groups.map((group, index) => {
        const name = textAt(group, 'name')
        return (
          <FieldRow
            key={index}
            name={name}
            onRemove={() => write(groups.toSpliced(index, 1))}
            head={
              <Input
                size="small"
                className="mono"
                aria-label={t('field.param_name')}
                value={name}
                onChange={(event) => write(groups.with(index, { ...group, name: event.target.value }))}
              />
            }
          >
            <Members
              node={node}
              label={name}
              members={listAt(group, 'variables').map(toObject)}
              onChange={(variables) => write(groups.with(index, { ...group, variables }))}
            />
          </FieldRow>
        )
      })}
      <AddButton label={t('groups.add')} onClick={() => write([...groups, { name: freeName(groups), variables: [NO_REFERENCE] }])} />
    </div>
  )
}

type MembersProps = { node: CanvasNode; label: string; members: JsonObject[]; onChange: (members: JsonObject[]) => void }

function Members({ node, label, members, onChange }: MembersProps) {
  const t = useTexts(workflowEditorTexts)
  return (
    <>
      {members.map((member, index) => {
        const name = t('field.entry', { number: index + 1 })
        return (
          <FieldRow
            key={index}
            name={name}
            onRemove={() => onChange(members.toSpliced(index, 1))}
            head={
              <SourceSelect
                node={node}
                label={`${label}: ${name}`}
                value={member}
                onChange={(chosen) => onChange(members.with(index, chosen))}
              />
            }
          />
        )
      })}
      <AddButton label={t('groups.add_member')} onClick={() => onChange([...members, NO_REFERENCE])} />
    </>
  )
}

function freeName(groups: JsonObject[]): string {
  const names = new Set(groups.map((group) => textAt(group, 'name')))
  for (let number = 1; ; number += 1) if (!names.has(`Group${number}`)) return `Group${number}`
}

/** Each group is an output; what is known of an output beside its type stays. */
function withGroups(node: JsonObject, before: JsonObject[], groups: JsonObject[]): JsonObject {
  const outputs = listAt(node, 'data.outputs')
  const declared = groups.map((group, index): JsonObject => {
    const old = before.indexOf(group) >= 0 ? before.indexOf(group) : before.length === groups.length ? index : -1
    const known = outputs[old]
    const [first] = listAt(group, 'variables')
    return { ...(isObject(known) ? known : {}), ...typeOf(first), name: textAt(group, 'name') }
  })
  return writeAt(writeAt(node, 'data.inputs.mergeGroups', groups), 'data.outputs', declared)
}
