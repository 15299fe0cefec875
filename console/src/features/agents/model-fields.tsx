import { AutoComplete, InputNumber, Select } from 'antd'
import type { AgentDraft } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { agentEditorTexts } from './agent-editor-texts.ts'
import styles from './agent-form.module.css'
import { useModelNames } from './agents-queries.ts'
import { EditorField } from './editor-fields.tsx'
import type { DraftEditing } from './use-agent-draft.ts'

type NumberName = Exclude<keyof AgentDraft['parameters'], 'response_format' | 'history_rounds'>
const NUMBERS: { name: NumberName; min: number; max: number; step: number; hint?: 'model.temperature_hint' }[] = [
  { name: 'temperature', min: 0, max: 2, step: 0.1, hint: 'model.temperature_hint' },
  { name: 'max_tokens', min: 1, max: 1_000_000, step: 256 },
  { name: 'top_p', min: 0, max: 1, step: 0.05 },
  { name: 'presence_penalty', min: -2, max: 2, step: 0.1 },
  { name: 'frequency_penalty', min: -2, max: 2, step: 0.1 },
]

/** The model and how it answers. An empty number leaves it to the model. */
export function ModelFields({ draft, edit }: DraftEditing) {
  const t = useTexts(agentEditorTexts)
  const { parameters } = draft
  const change = (part: Partial<AgentDraft['parameters']>) => edit({ parameters: { ...parameters, ...part } })

  return (
    <>
      <ModelField draft={draft} edit={edit} />
      <div className={styles.columns}>
        {NUMBERS.map(({ name, hint, ...limits }) => (
          <EditorField key={name} label={t(`model.${name}`)} hint={hint && t(hint)}>
            {(id) => (
              <InputNumber
                id={id}
                {...limits}
                style={{ width: '100%' }}
                precision={name === 'max_tokens' ? 0 : undefined}
                placeholder={t('model.own')}
                value={parameters[name]}
                onChange={(value) => change({ [name]: value })}
              />
            )}
          </EditorField>
        ))}
        <EditorField label={t('model.history_rounds')} hint={t('model.history_hint')}>
          {(id) => (
            <InputNumber
              id={id}
              min={0}
              max={100}
              precision={0}
              style={{ width: '100%' }}
              value={parameters.history_rounds}
              onChange={(value) => change({ history_rounds: value ?? 0 })}
            />
          )}
        </EditorField>
        <EditorField label={t('model.format')}>
          {(id) => (
            <Select
              id={id}
              value={parameters.response_format ?? 'text'}
              options={[
                { value: 'text', label: t('model.text') },
                { value: 'json', label: t('model.json') },
              ]}
              onChange={(value) => change({ response_format: value === 'json' ? 'json' : null })}
            />
          )}
        </EditorField>
      </div>
    </>
  )
}

function ModelField({ draft, edit }: DraftEditing) {
  const t = useTexts(agentEditorTexts)
  const { data: names } = useModelNames()
  return (
    <EditorField label={t('model.label')}>
      {(id) =>
        names ? (
          <Select
            id={id}
            value={draft.model}
            showSearch
            options={[...new Set([draft.model, 'default', ...names])].map((value) => ({ value, label: value }))}
            onChange={(model) => edit({ model })}
          />
        ) : (
          // the list cannot be had: the name can be written all the same
          <AutoComplete id={id} value={draft.model} onChange={(model) => model !== '' && edit({ model })} />
        )
      }
    </EditorField>
  )
}
