import { CloseOutlined } from '@ant-design/icons'
import { Alert, Button } from 'antd'
import { useState } from 'react'
import type { NodeRecord } from '../../../../server/src/http/console/workflow-run-wire.ts'
import { formatDuration, formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { JsonText } from '../../ui/json-text.tsx'
import { RunStatus } from '../../ui/run-status.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import styles from './run-trace.module.css'
import { useWholeNode } from './workflow-runs-queries.ts'
import { workflowRunsTexts } from './workflow-runs-texts.ts'

export type StepDetailsProps = { runId: string; record: NodeRecord; onClose: () => void }

/** What went into a step and what came out of it. */
export function StepDetails({ runId, record, onClose }: StepDetailsProps) {
  const t = useTexts(workflowRunsTexts)
  const language = useLanguage()
  const [wantsWhole, setWantsWhole] = useState(false)
  const whole = useWholeNode(runId, record.path, wantsWhole)
  const { inputs, outputs } = whole.data ?? record
  const { usage, finished_at, started_at, error, warnings, port } = record
  const tokens = { input: formatNumber(usage.input_tokens, language), output: formatNumber(usage.output_tokens, language) }

  return (
    <section className={styles.details} aria-label={record.title || record.node_id}>
      <header className={styles.stepsHead}>
        <h3 dir="auto">{record.title || record.node_id}</h3>
        <RunStatus status={record.state} />
        <Button type="text" icon={<CloseOutlined aria-hidden />} aria-label={t('trace.close')} onClick={onClose} />
      </header>
      {error && <Alert type="error" showIcon title={error.message} description={t('trace.error', { code: error.code })} />}
      {warnings.map((warning, index) => (
        <Alert key={index} type="warning" showIcon title={warning} />
      ))}
      <dl className={styles.facts}>
        <div>
          <dt>{t('trace.begun')}</dt>
          <dd>
            <TimeText ms={started_at} exact />
          </dd>
        </div>
        <div>
          <dt>{t('trace.duration')}</dt>
          <dd>{finished_at === null ? '–' : formatDuration(finished_at - started_at)}</dd>
        </div>
        {usage.input_tokens + usage.output_tokens > 0 && (
          <div>
            <dt>{t('trace.tokens')}</dt>
            <dd>{t('trace.tokens_value', tokens)}</dd>
          </div>
        )}
        {port !== '' && (
          <div>
            <dt>{t('trace.port')}</dt>
            <dd className="mono">{port}</dd>
          </div>
        )}
        <div>
          <dt>{t('trace.path')}</dt>
          <dd className="mono">{record.path}</dd>
        </div>
      </dl>
      <JsonText label={t('trace.inputs')} text={inputs} />
      <JsonText label={t('trace.outputs')} text={outputs} />
      <ErrorNotice error={whole.error} />
      {record.is_cut && !whole.data && (
        <div className={styles.stepsHead}>
          <span className="quiet">{t('trace.cut')}</span>
          <Button size="small" loading={whole.isFetching} onClick={() => setWantsWhole(true)}>
            {t('trace.whole')}
          </Button>
        </div>
      )}
    </section>
  )
}
