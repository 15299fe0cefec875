import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import type { ReactNode } from 'react'
import { useTexts } from '../../lib/texts.ts'
import styles from './node-panel.module.css'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type FieldRowProps = { name: string; head: ReactNode; onRemove: () => void; children?: ReactNode }

/** One of several things of the same kind: what it is, and below it what it has. */
export function FieldRow({ name, head, onRemove, children }: FieldRowProps) {
  const t = useTexts(workflowEditorTexts)
  return (
    <div className={styles.row} role="group" aria-label={name}>
      <div className={styles.rowHead}>
        {head}
        <Button
          size="small"
          type="text"
          icon={<DeleteOutlined aria-hidden />}
          aria-label={t('field.remove', { name })}
          onClick={onRemove}
        />
      </div>
      {children}
    </div>
  )
}

export function AddButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button size="small" icon={<PlusOutlined aria-hidden />} onClick={onClick}>
      {label}
    </Button>
  )
}
