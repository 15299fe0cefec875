import { Switch } from 'antd'
import { useId, useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { agentEditorTexts } from './agent-editor-texts.ts'
import styles from './agent-form.module.css'
import { EditorField } from './editor-fields.tsx'
import type { DraftEditing } from './use-agent-draft.ts'

const MOST_QUESTIONS = 20

/** What stands there before the first question, and after each answer. */
export function OpeningFields({ draft, edit }: DraftEditing) {
  const t = useTexts(agentEditorTexts)
  const { onboarding, suggest_replies } = draft
  const switchLabel = useId()
  return (
    <>
      <EditorField label={t('opening.prologue')} hint={t('opening.prologue_hint')}>
        {(id) => (
          <GrowingTextArea
            id={id}
            value={onboarding.prologue}
            maxLength={10_000}
            minRows={2}
            maxRows={8}
            dir="auto"
            onChange={({ target }) => edit({ onboarding: { ...onboarding, prologue: target.value } })}
          />
        )}
      </EditorField>
      <QuestionsField
        questions={onboarding.suggested_questions}
        onChange={(suggested_questions) => edit({ onboarding: { ...onboarding, suggested_questions } })}
      />
      <div className={styles.switch}>
        <Switch aria-labelledby={switchLabel} checked={suggest_replies} onChange={(value) => edit({ suggest_replies: value })} />
        <span id={switchLabel}>{t('opening.follow_ups')}</span>
      </div>
    </>
  )
}

/** Its text is its own while it is typed: a line that has just begun is no question yet. */
function QuestionsField({ questions, onChange }: { questions: string[]; onChange: (questions: string[]) => void }) {
  const t = useTexts(agentEditorTexts)
  const [text, setText] = useState(questions.join('\n'))
  const [known, setKnown] = useState(questions)
  if (known !== questions) {
    setKnown(questions)
    if (toQuestions(text).join('\n') !== questions.join('\n')) setText(questions.join('\n'))
  }
  return (
    <EditorField label={t('opening.questions')} hint={t('opening.questions_hint')}>
      {(id) => (
        <GrowingTextArea
          id={id}
          value={text}
          minRows={3}
          maxRows={10}
          dir="auto"
          onChange={({ target }) => {
            setText(target.value)
            onChange(toQuestions(target.value))
          }}
        />
      )}
    </EditorField>
  )
}

function toQuestions(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim().slice(0, 1_000))
  return lines.filter((line) => line !== '').slice(0, MOST_QUESTIONS)
}
