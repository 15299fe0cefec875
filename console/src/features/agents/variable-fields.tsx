import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Input } from 'antd'
import { useState } from 'react'
import type { AgentDraft } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { agentEditorTexts } from './agent-editor-texts.ts'
import styles from './agent-form.module.css'
import { EditorField } from './editor-fields.tsx'
import { VARIABLE_NAME } from './prompt-variables.ts'
import type { DraftEditing } from './use-agent-draft.ts'

type Variable = AgentDraft['variables'][number]

/** What programs can put into the instructions. */
export function VariableFields({ draft: { variables }, edit }: DraftEditing) {
  const t = useTexts(agentEditorTexts)
  const change = (name: string, part: Partial<Variable>) =>
    edit({ variables: variables.map((each) => (each.name === name ? { ...each, ...part } : each)) })

  return (
    <>
      <p className={styles.hint}>{t('variables.hint', { braces: '{{name}}' })}</p>
      <ul className={styles.rows}>
        {variables.map(({ name, default: value, description }) => (
          <li key={name} className={styles.variable}>
            <code className={styles.variableName}>{name}</code>
            <Input
              value={value}
              maxLength={10_000}
              placeholder={t('variables.default_short')}
              aria-label={t('variables.default', { name })}
              onChange={({ target }) => change(name, { default: target.value })}
            />
            <Input
              value={description}
              maxLength={1_000}
              placeholder={t('variables.description_short')}
              aria-label={t('variables.description', { name })}
              onChange={({ target }) => change(name, { description: target.value })}
            />
            <Button
              type="text"
              icon={<DeleteOutlined aria-hidden />}
              aria-label={t('variables.remove', { name })}
              onClick={() => edit({ variables: variables.filter((each) => each.name !== name) })}
            />
          </li>
        ))}
      </ul>
      <NewVariable names={variables.map(({ name }) => name)} onAdd={(added) => edit({ variables: [...variables, added] })} />
    </>
  )
}

function NewVariable({ names, onAdd }: { names: string[]; onAdd: (variable: Variable) => void }) {
  const t = useTexts(agentEditorTexts)
  const [name, setName] = useState('')
  const error =
    name === '' ? undefined : !VARIABLE_NAME.test(name) ? t('variables.rule') : names.includes(name) ? t('variables.taken') : undefined

  const add = () => {
    if (name === '' || error !== undefined) return
    onAdd({ name, default: '', description: '' })
    setName('')
  }
  return (
    <EditorField label={t('variables.new')} error={error}>
      {(id) => (
        <div className={styles.add}>
          <Input id={id} value={name} onChange={({ target }) => setName(target.value.trim())} onPressEnter={add} autoComplete="off" />
          <Button icon={<PlusOutlined aria-hidden />} disabled={name === '' || error !== undefined} onClick={add}>
            {t('variables.add')}
          </Button>
        </div>
      )}
    </EditorField>
  )
}
