import { StopOutlined } from '@ant-design/icons'
import { Alert, Button } from 'antd'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import type { WorkflowRun } from '../../../../server/src/http/console/workflow-run-wire.ts'
import { formatDuration, formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { JsonText } from '../../ui/json-text.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { RunQuestion } from '../../ui/run-question.tsx'
import { RunStatus } from '../../ui/run-status.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { useErrorToast } from '../../ui/use-error-toast.ts'
import styles from './run-trace.module.css'
import { TraceSteps } from './trace-steps.tsx'
import { isOver, useAnswerRun, useCancelRun, useRun } from './workflow-runs-queries.ts'
import { workflowRunsTexts } from './workflow-runs-texts.ts'

/** Everything a run did; follows it while it goes on, and asks what it asks. */
export function RunTrace({ workflowId, runId }: { workflowId: string; runId: string }) {
  const t = useTexts(workflowRunsTexts)
  const { data: run, error, refetch } = useRun(runId)
  const title = t('trace.title', { id: runId })
  const backTo = `/workflows/${workflowId}/runs`

  if (!run) {
    return (
      <>
        <PageHeader title={title} backTo={backTo} />
        {error ? <ErrorNotice error={error} onRetry={() => void refetch()} /> : <PageLoading />}
      </>
    )
  }
  const actions = (
    <>
      {!isOver(run) && <CancelButton runId={runId} />}
      <Link to={`/workflows/${workflowId}`}>
        <Button tabIndex={-1}>{t('edit')}</Button>
      </Link>
    </>
  )
  return (
    <>
      <PageHeader
        title={title}
        backTo={backTo}
        badge={<RunStatus status={run.status} />}
        description={isOver(run) ? undefined : t('trace.live')}
        actions={actions}
      />
      <div className="stack">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
        <Facts run={run} />
        {run.error && <Alert type="error" showIcon title={run.error.message} description={t('trace.error', { code: run.error.code })} />}
        <Question run={run} />
        <div className={styles.values}>
          <JsonText label={t('trace.input')} text={run.input} />
          <JsonText label={t('trace.output')} text={run.output} />
        </div>
        <TraceSteps run={run} />
      </div>
    </>
  )
}

function CancelButton({ runId }: { runId: string }) {
  const t = useTexts(workflowRunsTexts)
  const showError = useErrorToast()
  const cancel = useCancelRun(runId)
  return (
    <Button
      danger
      icon={<StopOutlined aria-hidden />}
      loading={cancel.isPending}
      onClick={() => cancel.mutate(undefined, { onError: showError })}
    >
      {t('trace.cancel')}
    </Button>
  )
}

function Facts({ run }: { run: WorkflowRun }) {
  const t = useTexts(workflowRunsTexts)
  const language = useLanguage()
  const { usage, finished_at, created_at } = run
  const tokens = { input: formatNumber(usage.input_tokens, language), output: formatNumber(usage.output_tokens, language) }
  const facts: [string, ReactNode][] = [
    [t('column.version'), run.version === '' ? t('test') : run.version],
    [t('trace.begun'), <TimeText key="begun" ms={created_at} exact />],
    [t('trace.duration'), finished_at === null ? '–' : formatDuration(finished_at - created_at)],
    [t('trace.tokens'), t('trace.tokens_value', tokens)],
    [t('trace.mode'), t(`trace.modes.${run.mode}`)],
  ]
  if (run.end_user !== '') facts.push([t('trace.end_user'), <bdi key="user">{run.end_user}</bdi>])
  if (run.only_node !== null) facts.push(['', t('trace.only_node', { id: run.only_node })])
  if (run.log_id !== '')
    facts.push([
      t('trace.log_id'),
      <span key="log" className="mono">
        {run.log_id}
      </span>,
    ])
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Question({ run }: { run: WorkflowRun }) {
  const t = useTexts(workflowRunsTexts)
  const answer = useAnswerRun(run.id)
  const [event] = run.status === 'waiting' ? run.waiting : []
  if (!event) return null
  const title = t('trace.asks', { name: event.node_title })
  return (
    <section className={styles.question} aria-label={title}>
      <h2 dir="auto">{title}</h2>
      <RunQuestion key={event.event_id} event={event} onAnswer={(data) => answer.mutateAsync({ eventId: event.event_id, data })} />
    </section>
  )
}
