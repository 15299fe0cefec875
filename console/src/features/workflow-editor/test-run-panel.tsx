import { CloseOutlined, PlayCircleOutlined, StopOutlined } from '@ant-design/icons'
import { Alert, Button, Form } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import type { TestRun, WorkflowRun } from '../../../../server/src/http/console/workflow-run-wire.ts'
import { formatDuration } from '../../lib/format.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { JsonText } from '../../ui/json-text.tsx'
import { RunQuestion } from '../../ui/run-question.tsx'
import { RunStatus } from '../../ui/run-status.tsx'
import { useErrorToast } from '../../ui/use-error-toast.ts'
import { ValueFields, toValues } from '../../ui/value-form.tsx'
import { textAt } from './canvas-json.ts'
import { EXIT, INPUT, QUESTION, indexCanvas } from './canvas-model.ts'
import type { CanvasNode } from './canvas-model.ts'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import styles from './test-run-panel.module.css'
import { keepTypedInputs, readTypedInputs } from './test-inputs-stash.ts'
import type { TypedInputs } from './test-inputs-stash.ts'
import type { useTestRun } from './use-test-run.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type TestRunPanelProps = { test: ReturnType<typeof useTestRun>; onClose: () => void }

/** Runs the draft with inputs from a form, shows how it goes and asks what it asks. */
export function TestRunPanel({ test, onClose }: TestRunPanelProps) {
  const t = useTexts(workflowEditorTexts)
  const { run, said, error } = test.state
  const index = useEditorState(({ canvas }) => indexCanvas(canvas))
  const words = [...said].filter(([nodeId, { text }]) => isSpeech(index.nodes.get(nodeId), text))
  return (
    <section className={styles.panel} aria-label={t('test_run.title')}>
      <header className={styles.head}>
        <h2>{t('test_run.title')}</h2>
        <Button type="text" icon={<CloseOutlined aria-hidden />} aria-label={t('close')} onClick={onClose} />
      </header>
      <p className="quiet">{t('test_run.hint')}</p>
      <StartForm test={test} />
      <ErrorNotice error={error} />
      {run && <RunNow run={run} test={test} />}
      {words.map(([nodeId, { title, text }]) => (
        <section key={nodeId} className={styles.said} aria-label={t('test_run.said', { name: title })}>
          <h3>{t('test_run.said', { name: title })}</h3>
          <p dir="auto" aria-live="polite">
            {text}
          </p>
        </section>
      ))}
      {run && run.output !== '' && !(run.is_answer && words.length > 0) && <JsonText label={t('test_run.output')} text={run.output} />}
    </section>
  )
}

/** Questions are asked below, and returned variables are the output: both come as messages too. */
function isSpeech(node: CanvasNode | undefined, text: string): boolean {
  if (node?.type === EXIT) return textAt(node.data, 'inputs.terminatePlan') === 'useAnswerContent'
  if (node?.type === QUESTION || node?.type === INPUT) return false
  return node !== undefined || !text.startsWith('{"messages":')
}

function StartForm({ test }: { test: TestRunPanelProps['test'] }) {
  const t = useTexts(workflowEditorTexts)
  const { workflowId, store } = useEditorRoom()
  const [typedBefore] = useState(() => readTypedInputs(workflowId))
  const [isUnsaved, setUnsaved] = useState(false)
  const inputs = useEditorState(({ stored }) => stored.inputs)
  const isChatflow = useEditorState(({ info }) => info.mode === 'chatflow')
  const { run, isStarting } = test.state
  const isGoing = run !== undefined && !isOver(run)
  const fields = (inputs ?? []).filter(({ name }) => !(isChatflow && CHAT_INPUTS.has(name)))

  const start = async ({ message, values }: TypedInputs) => {
    const isSaved = await store.saveNow()
    setUnsaved(!isSaved)
    if (!isSaved) return
    const request: TestRun = { parameters: toValues(fields, values), ...(isChatflow && message && { message }) }
    await test.start(request)
  }
  return (
    <Form<TypedInputs>
      layout="vertical"
      initialValues={typedBefore}
      onValuesChange={(_changed, typed) => keepTypedInputs(workflowId, typed)}
      onFinish={(typed) => void start(typed)}
    >
      {inputs === null && <Alert type="warning" showIcon title={t('test_run.unreadable')} />}
      {isChatflow && (
        <Form.Item
          name="message"
          label={t('test_run.message')}
          extra={t('test_run.message_hint')}
          rules={[{ required: true, message: t('test_run.message') }]}
        >
          <GrowingTextArea minRows={2} maxRows={8} dir="auto" />
        </Form.Item>
      )}
      <ValueFields fields={fields} />
      {fields.length === 0 && !isChatflow && inputs !== null && <p className="quiet">{t('test_run.no_inputs')}</p>}
      {isUnsaved && <Alert type="error" showIcon title={t('test_run.not_saved')} style={{ marginBottom: 16 }} />}
      <Button type="primary" htmlType="submit" icon={<PlayCircleOutlined aria-hidden />} loading={isStarting} disabled={isGoing}>
        {t(run ? 'test_run.again' : 'test_run.start')}
      </Button>
    </Form>
  )
}

/** What the conversation gives a chatflow. */
const CHAT_INPUTS = new Set(['USER_INPUT', 'CONVERSATION_NAME'])

const isOver = ({ status }: WorkflowRun) => status === 'succeeded' || status === 'failed' || status === 'canceled'

function RunNow({ run, test }: { run: WorkflowRun; test: TestRunPanelProps['test'] }) {
  const t = useTexts(workflowEditorTexts)
  const showError = useErrorToast()
  const [event] = run.status === 'waiting' ? run.waiting : []
  const tokens = run.usage.input_tokens + run.usage.output_tokens
  return (
    <>
      <div className={styles.line} role="status">
        <RunStatus status={run.status} />
        {run.finished_at !== null && <span className="quiet">{formatDuration(run.finished_at - run.created_at)}</span>}
        {tokens > 0 && <span className="quiet">{t('test_run.tokens', { count: tokens })}</span>}
        <Link to={`/workflows/${run.workflow_id}/runs/${run.id}`}>{t('test_run.trace')}</Link>
        {!isOver(run) && (
          <Button size="small" icon={<StopOutlined aria-hidden />} onClick={() => void test.cancel(run.id).catch(showError)}>
            {t('test_run.cancel')}
          </Button>
        )}
      </div>
      {run.error && <Alert type="error" showIcon role="alert" title={run.error.message} description={`${run.error.code}`} />}
      {event && (
        <section className={styles.question} aria-label={t('test_run.waits', { name: event.node_title })}>
          <h3 dir="auto">{t('test_run.waits', { name: event.node_title })}</h3>
          <RunQuestion key={event.event_id} event={event} onAnswer={(data) => test.answer(run.id, { eventId: event.event_id, data })} />
        </section>
      )}
    </>
  )
}
