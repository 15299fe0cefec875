import { Button, Form } from 'antd'
import { useState } from 'react'
import type { WaitingEvent } from '../../../server/src/http/console/workflow-run-wire.ts'
import { useTexts } from '../lib/texts.ts'
import { ErrorNotice } from './error-notice.tsx'
import { GrowingTextArea } from './growing-text-area.tsx'
import { parseQuestion } from './run-question-data.ts'
import styles from './run-question.module.css'
import { runTexts } from './run-texts.ts'
import { ValueFields, toValues } from './value-form.tsx'

export type RunQuestionProps = {
  event: WaitingEvent
  /** The text that answers it. What fails is shown, and what was typed stays. */
  onAnswer: (data: string) => Promise<unknown>
}

/** What a run asks, and the means to answer. */
export function RunQuestion({ event, onAnswer }: RunQuestionProps) {
  const [error, setError] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)
  const question = parseQuestion(event)

  const send = async (data: string) => {
    setBusy(true)
    setError(undefined)
    try {
      await onAnswer(data)
    } catch (cause) {
      setError(cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className={styles.question}>
      {question.text !== '' && (
        <p className={styles.text} dir="auto">
          {question.text}
        </p>
      )}
      {question.kind === 'form' ? (
        <FormAnswer fields={question.fields} isBusy={isBusy} onSend={send} />
      ) : (
        <TextAnswer options={question.options} isBusy={isBusy} onSend={send} />
      )}
      <ErrorNotice error={error} />
    </div>
  )
}

type AnswerProps = { isBusy: boolean; onSend: (data: string) => Promise<void> }

function TextAnswer({ options, isBusy, onSend }: AnswerProps & { options: string[] }) {
  const t = useTexts(runTexts)
  const send = ({ answer }: { answer: string }) => void onSend(answer)
  return (
    <>
      {options.length > 0 && (
        <div role="group" aria-label={t('answer.options')} className={styles.options}>
          {options.map((option, index) => (
            <Button key={index} disabled={isBusy} onClick={() => void onSend(option)}>
              <span dir="auto">{option}</span>
            </Button>
          ))}
        </div>
      )}
      <Form<{ answer: string }> layout="vertical" onFinish={send} initialValues={{ answer: '' }}>
        <Form.Item name="answer" label={t('answer.label')} rules={[{ required: true, whitespace: true, message: t('answer.label') }]}>
          <GrowingTextArea minRows={1} maxRows={8} dir="auto" />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={isBusy}>
          {t('answer.send')}
        </Button>
      </Form>
    </>
  )
}

function FormAnswer({ fields, isBusy, onSend }: AnswerProps & { fields: Parameters<typeof ValueFields>[0]['fields'] }) {
  const t = useTexts(runTexts)
  const send = ({ values }: { values?: Record<string, unknown> }) => void onSend(JSON.stringify(toValues(fields, values)))
  return (
    <Form<{ values?: Record<string, unknown> }> layout="vertical" onFinish={send} aria-label={t('answer.form')}>
      <ValueFields fields={fields} />
      <Button type="primary" htmlType="submit" loading={isBusy}>
        {t('answer.send')}
      </Button>
    </Form>
  )
}
