import { FileTextOutlined } from '@ant-design/icons'
import { Button, Input } from 'antd'
import { useRef } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { agentEditorTexts } from './agent-editor-texts.ts'

/** The form around it gives value and change. */
export function DocumentField({ id, value, onChange }: { id?: string; value?: string; onChange?: (text: string) => void }) {
  const t = useTexts(agentEditorTexts)
  const input = useRef<HTMLInputElement>(null)
  return (
    <div className="stack" style={{ gap: 8 }}>
      <Input.TextArea
        id={id}
        className="mono"
        rows={8}
        maxLength={1_000_000}
        spellCheck={false}
        dir="ltr"
        value={value}
        onChange={({ target }) => onChange?.(target.value)}
      />
      <input
        ref={input}
        type="file"
        accept=".json,.yaml,.yml"
        className="unseen"
        tabIndex={-1}
        aria-label={t('tool.document_file')}
        onChange={({ target }) => void target.files?.[0]?.text().then((text) => onChange?.(text))}
      />
      <div>
        <Button size="small" icon={<FileTextOutlined aria-hidden />} onClick={() => input.current?.click()}>
          {t('tool.document_file')}
        </Button>
      </div>
    </div>
  )
}
