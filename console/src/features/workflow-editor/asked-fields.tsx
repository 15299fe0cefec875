import { useTexts } from '../../lib/texts.ts'
import { updateNode } from './canvas-edits.ts'
import { parseJsonText, toJsonText, toPlainText, writeAt } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'
import { DeclaredFields } from './declared-fields.tsx'
import { useEditorRoom } from './editor-room.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

/** The form that a person fills in while the run waits: its fields are the outputs of the node, and the canvas says them twice. */
export function AskedFields({ node, value }: { node: CanvasNode; value: Json | undefined }) {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const fields = readFields(value)
  if (!fields) return <p className="quiet">{t('field.composed')}</p>
  const write = (next: Json) =>
    store.edit(
      (canvas) =>
        updateNode(canvas, node.id, (json) => writeAt(writeAt(json, 'data.inputs.outputSchema', toJsonText(next)), 'data.outputs', next)),
      `${node.id} asked`,
    )
  return <DeclaredFields value={fields} onChange={write} addLabel={t('field.add_field')} />
}

function readFields(value: Json | undefined): Json[] | undefined {
  try {
    const text = toPlainText(value)
    const read = text.trim() === '' ? [] : parseJsonText(text)
    return Array.isArray(read) ? read : undefined
  } catch {
    return undefined
  }
}
