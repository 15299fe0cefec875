import { useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { parseJsonText, toJsonText } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type JsonFieldProps = { id: string; value: Json | undefined; onChange: (value: Json | undefined) => void }

/** Any value as JSON. While what is typed is none, the value stays what it was. */
export function JsonField({ id, value, onChange }: JsonFieldProps) {
  const t = useTexts(workflowEditorTexts)
  const [typed, setTyped] = useState<string>()
  const isWrong = typed !== undefined && typed.trim() !== '' && readJson(typed) === undefined
  const change = (text: string) => {
    setTyped(text)
    const read = text.trim() === '' ? { value: undefined } : readJson(text)
    if (read) onChange(read.value)
  }
  return (
    <div>
      <GrowingTextArea
        id={id}
        className="mono"
        value={typed ?? (value === undefined ? '' : toJsonText(value, 2))}
        onChange={(event) => change(event.target.value)}
        onBlur={() => !isWrong && setTyped(undefined)}
        status={isWrong ? 'error' : undefined}
        aria-invalid={isWrong}
        minRows={2}
        maxRows={14}
        spellCheck={false}
      />
      {isWrong && <small role="alert">{t('field.json_wrong')}</small>}
    </div>
  )
}

function readJson(text: string): { value: Json } | undefined {
  try {
    return { value: parseJsonText(text) }
  } catch {
    return undefined
  }
}
