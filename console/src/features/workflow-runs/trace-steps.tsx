import { CaretDownOutlined, CaretRightOutlined, WarningOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useMemo, useState } from 'react'
import type { NodeRecord, WorkflowRun } from '../../../../server/src/http/console/workflow-run-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { formatDuration, formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { RunStatus } from '../../ui/run-status.tsx'
import { useAddress } from '../../ui/use-address.ts'
import styles from './run-trace.module.css'
import { StepDetails } from './step-details.tsx'
import { openRows, toBar, toTraceRows } from './trace-tree.ts'
import type { TraceRow } from './trace-tree.ts'
import { TRACE_PAGE, isOver, useNodeLabels, useTrace } from './workflow-runs-queries.ts'
import { workflowRunsTexts } from './workflow-runs-texts.ts'

const MANY_ROWS = 40

/** The records of a run as a tree, each with its time; the chosen one with all it has. Which one is in the address. */
export function TraceSteps({ run }: { run: WorkflowRun }) {
  const t = useTexts(workflowRunsTexts)
  const address = useAddress()
  const { data, error, refetch } = useTrace(run.id, { page: address.page, isLive: !isOver(run) })
  const rows = useMemo(() => toTraceRows(data?.items ?? []), [data])
  const [closed, setClosed] = useState<ReadonlySet<string>>()
  const chosenPath = address.get('step')
  const choose = (step: string) => address.change({ step, page: address.get('page') }, { replace: true })
  const chosen = data?.items.find(({ path }) => path === chosenPath)

  if (error && !data) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!data) return <PageLoading />
  const inner = rows.filter(({ hasChildren }) => hasChildren).map(({ record }) => record.path)
  const closedNow = closed ?? new Set(rows.length > MANY_ROWS ? inner : [])
  const toggle = (path: string) =>
    setClosed(closedNow.has(path) ? new Set([...closedNow].filter((each) => each !== path)) : new Set([...closedNow, path]))

  return (
    <section aria-labelledby="steps" className={styles.steps}>
      <header className={styles.stepsHead}>
        <h2 id="steps">{t('trace.steps')}</h2>
        {inner.length > 0 && (
          <Button size="small" onClick={() => setClosed(new Set(closedNow.size > 0 ? [] : inner))}>
            {t(closedNow.size > 0 ? 'trace.expand_all' : 'trace.collapse_all')}
          </Button>
        )}
      </header>
      {rows.length === 0 ? (
        <p className="quiet">{t('trace.no_steps')}</p>
      ) : (
        <div className={chosen ? styles.split : undefined}>
          <Timeline
            rows={openRows(rows, closedNow)}
            closed={closedNow}
            chosenPath={chosenPath}
            span={spanOf(run, data.items)}
            onToggle={toggle}
            onChoose={choose}
          />
          {chosen ? (
            <StepDetails key={chosen.path} runId={run.id} record={chosen} onClose={() => choose('')} />
          ) : (
            <p className="quiet">{t('trace.select_hint')}</p>
          )}
        </div>
      )}
      <ListPager page={address.page} size={TRACE_PAGE} total={data.total} onPage={address.goTo} />
    </section>
  )
}

function spanOf({ created_at, finished_at }: WorkflowRun, records: NodeRecord[]): { from: number; to: number } {
  const times = records.flatMap((record) => [record.started_at, record.finished_at ?? record.started_at])
  return { from: created_at, to: finished_at ?? Math.max(created_at, ...times) }
}

type TimelineProps = {
  rows: TraceRow[]
  closed: ReadonlySet<string>
  chosenPath: string
  span: { from: number; to: number }
  onToggle: (path: string) => void
  onChoose: (path: string) => void
}

function Timeline({ rows, closed, chosenPath, span, onToggle, onChoose }: TimelineProps) {
  const t = useTexts(workflowRunsTexts)
  const language = useLanguage()
  const labels = useNodeLabels()
  return (
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={t('trace.steps')}>
      <table className={styles.timeline}>
        <thead>
          <tr>
            <th scope="col">{t('trace.step')}</th>
            <th scope="col">{t('column.status')}</th>
            <th scope="col" className={styles.when}>
              {t('trace.time')}
            </th>
            <th scope="col">{t('trace.duration')}</th>
            <th scope="col">{t('trace.tokens')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const { record, depth, pass } = row
            const name = pass === undefined ? record.title || record.node_id : t('trace.pass', { number: pass })
            const tokens = record.usage.input_tokens + record.usage.output_tokens
            const bar = toBar(record, span)
            return (
              <tr key={record.path} aria-selected={record.path === chosenPath} data-state={record.state}>
                <th scope="row">
                  <div className={styles.step} style={{ paddingInlineStart: depth * 18 }}>
                    <Toggle row={row} name={name} isClosed={closed.has(record.path)} onToggle={onToggle} />
                    <button type="button" className={styles.name} onClick={() => onChoose(record.path)}>
                      <span dir="auto">{name}</span>{' '}
                      <small className="quiet">{pass === undefined ? labels?.get(record.node_type)?.[language] : ''}</small>
                    </button>
                    {record.attempts > 1 && <small className="quiet">{t('trace.attempts', { count: record.attempts })}</small>}
                    {record.warnings.length > 0 && (
                      <WarningOutlined
                        role="img"
                        aria-label={t('trace.warnings', { count: record.warnings.length })}
                        className={styles.warning}
                      />
                    )}
                  </div>
                </th>
                <td>
                  <RunStatus status={record.state} />
                </td>
                <td className={styles.when}>
                  <div className={styles.track} aria-hidden>
                    <div className={styles.bar} style={{ insetInlineStart: `${bar.left}%`, width: `${bar.width}%` }} />
                  </div>
                </td>
                <td>{record.finished_at === null ? '–' : formatDuration(record.finished_at - record.started_at)}</td>
                <td>{tokens === 0 ? '–' : formatNumber(tokens, language)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

type ToggleProps = { row: TraceRow; name: string; isClosed: boolean; onToggle: (path: string) => void }

function Toggle({ row: { hasChildren, record }, name, isClosed, onToggle }: ToggleProps) {
  const t = useTexts(workflowRunsTexts)
  if (!hasChildren) return <span className={styles.noToggle} />
  return (
    <button
      type="button"
      className={styles.toggle}
      aria-expanded={!isClosed}
      aria-label={t(isClosed ? 'trace.expand' : 'trace.collapse', { name })}
      onClick={() => onToggle(record.path)}
    >
      {isClosed ? <CaretRightOutlined /> : <CaretDownOutlined />}
    </button>
  )
}
