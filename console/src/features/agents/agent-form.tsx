import { Collapse, Input } from 'antd'
import type { ReactNode } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { agentEditorTexts } from './agent-editor-texts.ts'
import styles from './agent-form.module.css'
import { EditorField } from './editor-fields.tsx'
import { FaceFields } from './face-fields.tsx'
import { MindFields } from './mind-fields.tsx'
import { ModelFields } from './model-fields.tsx'
import { OpeningFields } from './opening-fields.tsx'
import { ToolFields } from './tool-fields.tsx'
import type { ToolFieldsProps } from './tool-fields.tsx'
import { VariableFields } from './variable-fields.tsx'

const OPEN = ['face', 'mind', 'opening']

/** Everything that is decided about an agent. A chatflow has no model, tools and variables of the agent. */
export function AgentForm({ draft, edit, agentId, flush }: ToolFieldsProps) {
  const t = useTexts(agentEditorTexts)
  const part = { draft, edit }
  const isModel = draft.mode === 'agent'
  const counted = (title: string, count: number) => (count > 0 ? `${title} (${count})` : title)

  const sections: { key: string; label: string; children: ReactNode }[] = [
    { key: 'face', label: t('section.face'), children: <FaceFields {...part} /> },
    { key: 'mind', label: t('section.mind'), children: <MindFields {...part} /> },
  ]
  const model = { key: 'model', label: `${t('section.model')} · ${draft.model}`, children: <ModelFields {...part} /> }
  const abilities = [
    {
      key: 'tools',
      label: counted(t('section.tools'), draft.tools.length + draft.workflows.length),
      children: <ToolFields {...part} agentId={agentId} flush={flush} />,
    },
    { key: 'variables', label: counted(t('section.variables'), draft.variables.length), children: <VariableFields {...part} /> },
  ]
  const opening = { key: 'opening', label: t('section.opening'), children: <OpeningFields {...part} /> }
  const more = {
    key: 'more',
    label: t('section.more'),
    children: (
      <EditorField label={t('webhook')} hint={t('webhook_hint')}>
        {(id) => (
          <Input
            id={id}
            type="url"
            value={draft.webhook_url}
            maxLength={2_000}
            onChange={({ target }) => edit({ webhook_url: target.value.trim() })}
          />
        )}
      </EditorField>
    ),
  }

  return (
    <div className={styles.form}>
      <Collapse
        bordered={false}
        ghost
        defaultActiveKey={OPEN}
        items={isModel ? [...sections, model, opening, ...abilities, more] : [...sections, opening, more]}
      />
    </div>
  )
}
