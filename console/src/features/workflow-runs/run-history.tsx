import { HistoryOutlined, SearchOutlined } from '@ant-design/icons'
import { Button, Segmented, Select } from 'antd'
import { Link } from 'react-router'
import type { WorkflowRunItem } from '../../../../server/src/http/console/workflow-run-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { formatDuration, formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { RunStatus } from '../../ui/run-status.tsx'
import { runTexts } from '../../ui/run-texts.ts'
import { ScrollTable } from '../../ui/scroll-table.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { useAddress } from '../../ui/use-address.ts'
import styles from './run-history.module.css'
import { useRunHistory } from './workflow-runs-queries.ts'
import { workflowRunsTexts } from './workflow-runs-texts.ts'

const SIZE = 20
const COUNTED = 10_000
const KINDS = ['all', 'live', 'test'] as const
const STATES = ['queued', 'running', 'waiting', 'succeeded', 'failed', 'canceled'] as const
const COLUMNS = ['begun', 'status', 'version', 'duration', 'tokens', 'end_user', 'error'] as const

/** All runs of a workflow. What is looked for is in the address. */
export function RunHistory({ workflowId }: { workflowId: string }) {
  const t = useTexts(workflowRunsTexts)
  const tRun = useTexts(runTexts)
  const language = useLanguage()
  const address = useAddress()
  const kind = KINDS.find((each) => each === address.get('kind')) ?? 'all'
  const status = STATES.find((each) => each === address.get('status'))
  const { data, error, refetch, isPlaceholderData } = useRunHistory(workflowId, { page: address.page, size: SIZE, kind, status })

  if (error && !data) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!data) return <PageLoading />
  const isFiltered = kind !== 'all' || status !== undefined
  if (data.total === 0 && !isFiltered)
    return <EmptyState icon={<HistoryOutlined aria-hidden />} title={t('empty.title')} hint={t('empty.hint')} />

  const shown = formatNumber(data.total, language)
  return (
    <div className="stack">
      <div className={styles.filters}>
        <Segmented
          aria-label={t('kind.label')}
          value={kind}
          options={KINDS.map((value) => ({ value, label: t(`kind.${value}`) }))}
          onChange={(chosen) => address.change({ kind: chosen === 'all' ? '' : chosen })}
        />
        <Select
          aria-label={t('status')}
          value={status ?? ''}
          options={[{ value: '', label: t('any_status') }, ...STATES.map((value) => ({ value, label: tRun(`status.${value}`) }))]}
          onChange={(chosen) => address.change({ status: chosen })}
          style={{ minWidth: 140 }}
        />
        <span className="quiet" role="status">
          {data.total >= COUNTED ? t('many', { shown }) : t('count', { count: data.total, shown })}
        </span>
      </div>
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {data.items.length === 0 ? (
        <EmptyState
          icon={<SearchOutlined aria-hidden />}
          title={t('nothing.title')}
          hint={t('nothing.hint')}
          action={<Button onClick={() => address.change({ kind: '', status: '' })}>{t('nothing.action')}</Button>}
        />
      ) : (
        <Runs items={data.items} isBusy={isPlaceholderData} />
      )}
      <ListPager page={address.page} size={SIZE} total={data.total} onPage={address.goTo} />
    </div>
  )
}

function Runs({ items, isBusy }: { items: WorkflowRunItem[]; isBusy: boolean }) {
  const t = useTexts(workflowRunsTexts)
  const language = useLanguage()
  const toCells = (run: WorkflowRunItem) => [
    <Link key="begun" to={`/workflows/${run.workflow_id}/runs/${run.id}`}>
      <TimeText ms={run.created_at} />
    </Link>,
    <RunStatus key="status" status={run.status} />,
    run.version === '' ? <span className="quiet">{t('test')}</span> : run.version,
    run.finished_at === null ? '–' : formatDuration(run.finished_at - run.created_at),
    formatNumber(run.usage.input_tokens + run.usage.output_tokens, language),
    <span key="user" className={styles.cut} dir="auto">
      {run.end_user}
    </span>,
    <span key="error" className={styles.cut} title={run.error?.message}>
      {run.error?.message}
    </span>,
  ]
  return (
    <ScrollTable
      label={t('title_loading')}
      isBusy={isBusy}
      columns={COLUMNS.map((key) => ({ key, title: t(`column.${key}`), isNumber: key === 'duration' || key === 'tokens' }))}
      rows={items.map((run) => ({ key: run.id, cells: toCells(run) }))}
    />
  )
}
