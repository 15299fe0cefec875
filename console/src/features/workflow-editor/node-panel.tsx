import { CloseOutlined, CopyOutlined, DeleteOutlined } from '@ant-design/icons'
import { Alert, Button, Input, Tabs, Tooltip } from 'antd'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { duplicateNode, removeParts, setSetting } from './canvas-edits.ts'
import { indexCanvas } from './canvas-model.ts'
import type { CanvasNode } from './canvas-model.ts'
import { ConnectionsField } from './connections-field.tsx'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import { ErrorSettings } from './error-settings.tsx'
import { GroupIcon } from './flow-nodes.tsx'
import { NodeJson } from './node-json.tsx'
import styles from './node-panel.module.css'
import { isImplied } from './setting-forms.ts'
import { isInUse } from './settings-in-use.ts'
import { SettingField } from './setting-field.tsx'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

/** The settings of the node that is selected. */
export function NodePanel() {
  const { selectedId } = useEditorRoom()
  const node = useEditorState(({ canvas }) => (selectedId === undefined ? undefined : indexCanvas(canvas).nodes.get(selectedId)))
  return node ? <OpenNode key={node.id} node={node} /> : null
}

function OpenNode({ node }: { node: CanvasNode }) {
  const t = useTexts(workflowEditorTexts)
  const language = useLanguage()
  const { types, issues, select } = useEditorRoom()
  const type = types.get(node.type)
  const own = issues.filter(({ node_id }) => node_id === node.id)

  const settings = (
    <div className={styles.settings}>
      {own.map(({ path, message }, index) => (
        <Alert key={index} type="error" showIcon title={message} description={path === '' ? undefined : path} />
      ))}
      <TitleField node={node} />
      {type ? (
        <>
          {type.settings
            .filter((hint) => isInUse(node.data, hint.path) && !isImplied(node, hint))
            .map((hint) => (
              <SettingField key={`${hint.path} ${hint.param ?? ''}`} node={node} hint={hint} />
            ))}
          {type.handles_errors && <ErrorSettings node={node} />}
          <ConnectionsField node={node} />
        </>
      ) : (
        <Alert type="info" title={t('node.unknown')} />
      )}
    </div>
  )
  return (
    <section className={styles.panel} aria-label={node.title || node.id}>
      <header className={styles.head}>
        <GroupIcon group={type?.group ?? 'other'} />
        <div className={styles.words}>
          <h2>{type?.label[language] ?? node.type}</h2>
          <small className="quiet">{t('node.id', { id: node.id })}</small>
        </div>
        <NodeActions node={node} />
        <Button type="text" icon={<CloseOutlined aria-hidden />} aria-label={t('close')} onClick={() => select(undefined)} />
      </header>
      {type && <p className="quiet">{type.description[language]}</p>}
      <Tabs
        size="small"
        items={[
          { key: 'settings', label: t('node.settings'), children: settings },
          { key: 'json', label: t('node.json'), children: <NodeJson node={node} /> },
        ]}
      />
    </section>
  )
}

function TitleField({ node }: { node: CanvasNode }) {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const change = (value: string) =>
    store.edit((canvas) => setSetting(canvas, { id: node.id, path: 'nodeMeta.title', value }), `${node.id} title`)
  return (
    <div className={styles.field}>
      <label htmlFor={`title-${node.id}`}>{t('node.name')}</label>
      <Input id={`title-${node.id}`} value={node.title} maxLength={500} onChange={(event) => change(event.target.value)} dir="auto" />
    </div>
  )
}

function NodeActions({ node }: { node: CanvasNode }) {
  const t = useTexts(workflowEditorTexts)
  const { store, types, select } = useEditorRoom()
  const isOnly = useEditorState(({ canvas }) =>
    [...indexCanvas(canvas).nodes.values()].every((each) => each.id === node.id || each.type !== node.type),
  )
  const canAdd = types.get(node.type)?.can_add ?? true

  const duplicate = () => {
    const copy = duplicateNode(store.getState().canvas, node.id)
    if (!copy) return
    store.edit(() => copy.canvas)
    select(copy.id)
  }
  const remove = () => {
    store.edit((canvas) => removeParts(canvas, { nodeIds: new Set([node.id]), edges: [] }))
    select(undefined)
  }
  return (
    <>
      {canAdd && (
        <Tooltip title={t('node.duplicate')}>
          <Button type="text" icon={<CopyOutlined aria-hidden />} aria-label={t('node.duplicate')} onClick={duplicate} />
        </Tooltip>
      )}
      {(canAdd || !isOnly) && (
        <Tooltip title={t('node.remove')}>
          <Button type="text" danger icon={<DeleteOutlined aria-hidden />} aria-label={t('node.remove')} onClick={remove} />
        </Tooltip>
      )}
    </>
  )
}
