import { Button } from 'antd'
import { useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { setSetting } from './canvas-edits.ts'
import { isObject, parseJsonText, toJsonText } from './canvas-json.ts'
import type { JsonObject } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'
import { useEditorRoom } from './editor-room.ts'
import styles from './node-panel.module.css'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

/** The `data` of a node as it is in the canvas. */
export function NodeJson({ node }: { node: CanvasNode }) {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const [typed, setTyped] = useState<string>()
  const [problem, setProblem] = useState<string>()

  const reset = () => {
    setTyped(undefined)
    setProblem(undefined)
  }
  const apply = () => {
    const read = readData(typed ?? '')
    if (read.kind === 'wrong') return setProblem(read.reason === '' ? t('node.json_object') : t('node.json_wrong', { reason: read.reason }))
    store.edit((canvas) => setSetting(canvas, { id: node.id, path: '', value: read.data }))
    reset()
  }
  return (
    <div className={styles.settings}>
      <label htmlFor={`json-${node.id}`} className="quiet">
        {t('node.json_hint')}
      </label>
      <GrowingTextArea
        id={`json-${node.id}`}
        className="mono"
        value={typed ?? toJsonText(node.data, 2)}
        onChange={(event) => setTyped(event.target.value)}
        status={problem === undefined ? undefined : 'error'}
        minRows={12}
        maxRows={32}
        spellCheck={false}
      />
      {problem !== undefined && <div role="alert">{problem}</div>}
      <div className={styles.actions}>
        <Button type="primary" disabled={typed === undefined} onClick={apply}>
          {t('node.json_apply')}
        </Button>
        <Button disabled={typed === undefined} onClick={reset}>
          {t('node.json_reset')}
        </Button>
      </div>
    </div>
  )
}

function readData(text: string): { kind: 'read'; data: JsonObject } | { kind: 'wrong'; reason: string } {
  try {
    const data = parseJsonText(text)
    return isObject(data) ? { kind: 'read', data } : { kind: 'wrong', reason: '' }
  } catch (cause) {
    return { kind: 'wrong', reason: cause instanceof Error ? cause.message : String(cause) }
  }
}
