import { Empty, Input, Modal } from 'antd'
import { useState } from 'react'
import type { NodeTypeInfo } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { indexCanvas, nameOf } from './canvas-model.ts'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import { GroupIcon } from './flow-nodes.tsx'
import styles from './node-palette.module.css'
import { findSpot, mayStand, placeNode } from './place-node.ts'
import { usePortNaming } from './use-port-naming.ts'
import { useReveal } from './use-reveal.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

const GROUPS = ['ai', 'logic', 'flow', 'tools', 'data', 'chat', 'other'] as const

/** All kinds of nodes that can be added where one is selected. */
export function NodePalette({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts(workflowEditorTexts)
  return (
    <Modal open={open} onCancel={onClose} title={t('add')} footer={null} destroyOnHidden width={720}>
      <Kinds onDone={onClose} />
    </Modal>
  )
}

function Kinds({ onDone }: { onDone: () => void }) {
  const t = useTexts(workflowEditorTexts)
  const language = useLanguage()
  const naming = usePortNaming()
  const { store, types, selectedId, select } = useEditorRoom()
  const reveal = useReveal()
  const [search, setSearch] = useState('')
  const spot = useEditorState(({ canvas }) => canvas)
  const place = findSpot(indexCanvas(spot), selectedId, types)
  const kinds = [...types.values()].filter((type) => mayStand(place, type) && matches(type, search.trim().toLowerCase()))

  const add = (type: NodeTypeInfo) => {
    const added = placeNode(store.getState().canvas, { type, title: type.label[language], spot: place, types, naming })
    store.edit(() => added.canvas)
    select(added.id)
    reveal(added.id)
    onDone()
  }
  const hint = place.after
    ? t('palette.after', { name: nameOf(place.after) })
    : place.inside && t('palette.into', { name: nameOf(place.inside) })

  return (
    <div className="stack">
      <Input
        type="search"
        autoFocus
        allowClear
        aria-label={t('palette.search')}
        placeholder={t('palette.search')}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {hint !== undefined && <div className="quiet">{hint}</div>}
      {kinds.length === 0 && <Empty description={t('palette.nothing')} />}
      {GROUPS.map((group) => {
        const members = kinds.filter((type) => type.group === group)
        if (members.length === 0) return null
        return (
          <section key={group} aria-label={t(`palette.groups.${group}`)}>
            <h3 className={styles.group}>{t(`palette.groups.${group}`)}</h3>
            <div className={styles.kinds}>
              {members.map((type) => (
                <button key={type.code} type="button" className={styles.kind} onClick={() => add(type)}>
                  <GroupIcon group={group} />
                  <span className={styles.words}>
                    <strong>{type.label[language]}</strong>
                    <small className="quiet">{type.description[language]}</small>
                  </span>
                </button>
              ))}
            </div>
          </section>
        )
      })}
    </div>
  )
}

const matches = ({ label, description, name }: NodeTypeInfo, search: string) =>
  [label.en, label.zh, description.en, description.zh, name].some((text) => text.toLowerCase().includes(search))
