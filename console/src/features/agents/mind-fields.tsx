import { PlusOutlined } from '@ant-design/icons'
import { Alert, Button, Segmented, Select, Tag } from 'antd'
import type { TextAreaRef } from 'antd/es/input/TextArea'
import { useRef, useState } from 'react'
import { formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { agentEditorTexts } from './agent-editor-texts.ts'
import styles from './agent-form.module.css'
import { usePublishedWorkflows } from './agents-queries.ts'
import { EditorField } from './editor-fields.tsx'
import { insertAt, undeclaredVariables } from './prompt-variables.ts'
import type { DraftEditing } from './use-agent-draft.ts'

const MODES = ['agent', 'chatflow'] as const

/** Who answers, and by what instructions. */
export function MindFields({ draft, edit }: DraftEditing) {
  const t = useTexts(agentEditorTexts)
  return (
    <>
      <EditorField label={t('mode.label')}>
        {(id) => (
          <Segmented
            id={id}
            aria-label={t('mode.label')}
            value={draft.mode}
            options={MODES.map((value) => ({ value, label: t(`mode.${value}`) }))}
            onChange={(mode) => edit({ mode })}
          />
        )}
      </EditorField>
      {draft.mode === 'chatflow' ? <ChatflowField draft={draft} edit={edit} /> : <PromptField draft={draft} edit={edit} />}
    </>
  )
}

function PromptField({ draft, edit }: DraftEditing) {
  const t = useTexts(agentEditorTexts)
  const language = useLanguage()
  const area = useRef<TextAreaRef>(null)
  const { prompt, variables } = draft
  const unknown = undeclaredVariables(prompt, variables)

  const insert = (name: string) => {
    const element = area.current?.resizableTextArea?.textArea
    const at = element ? { start: element.selectionStart, end: element.selectionEnd } : { start: prompt.length, end: prompt.length }
    edit({ prompt: insertAt(prompt, at, `{{${name}}}`) })
    area.current?.focus()
  }
  const declare = () =>
    edit({ variables: [...variables, ...unknown.map((name) => ({ name, default: '', description: '' }))].slice(0, 100) })

  return (
    <EditorField label={t('prompt.label')} hint={t('prompt.length', { count: formatNumber(prompt.length, language) })}>
      {(id) => (
        <div className={styles.prompt}>
          <GrowingTextArea
            ref={area}
            id={id}
            value={prompt}
            maxLength={200_000}
            placeholder={t('prompt.placeholder')}
            minRows={8}
            maxRows={18}
            dir="auto"
            onChange={({ target }) => edit({ prompt: target.value })}
          />
          {variables.length > 0 && (
            <div className={styles.chips}>
              <span className="quiet">{t('prompt.variables')}</span>
              {variables.map(({ name }) => (
                <Button key={name} size="small" className="mono" aria-label={t('prompt.insert', { name })} onClick={() => insert(name)}>
                  {`{{${name}}}`}
                </Button>
              ))}
            </div>
          )}
          {unknown.length > 0 && (
            <Alert
              type="info"
              role="status"
              title={t('prompt.unknown', { names: unknown.join(', ') })}
              action={
                <Button size="small" icon={<PlusOutlined aria-hidden />} onClick={declare}>
                  {t('prompt.declare')}
                </Button>
              }
            />
          )}
        </div>
      )}
    </EditorField>
  )
}

function ChatflowField({ draft, edit }: DraftEditing) {
  const t = useTexts(agentEditorTexts)
  const [search, setSearch] = useState('')
  const { data = [], isFetching } = usePublishedWorkflows('chatflow', search)
  const options = data.map(({ id, name }) => ({ value: id, label: name }))
  return (
    <EditorField label={t('chatflow')} hint={t('chatflow_hint')}>
      {(id) => (
        <Select
          id={id}
          value={draft.chatflow_id || undefined}
          options={options}
          loading={isFetching}
          showSearch={{ filterOption: false, onSearch: setSearch }}
          allowClear
          labelRender={({ label, value }) => label ?? <Tag>{`${String(value)} · ${t('tools.unpublished')}`}</Tag>}
          onChange={(chosen: string | undefined) => edit({ chatflow_id: chosen ?? '' })}
        />
      )}
    </EditorField>
  )
}
