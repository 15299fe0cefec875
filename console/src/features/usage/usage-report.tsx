import { BarChartOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Tag } from 'antd'
import { Suspense, lazy } from 'react'
import { Link } from 'react-router'
import type { Usage } from '../../../../server/src/http/console/usage-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { UsageControls } from './usage-controls.tsx'
import { useKeyText } from './usage-names.ts'
import { useKeyName, useUsage } from './usage-queries.ts'
import { UsageTables } from './usage-tables.tsx'
import { usageTexts } from './usage-texts.ts'
import { UsageTotals } from './usage-totals.tsx'
import { useUsageView } from './use-usage-view.ts'
import type { UsageView } from './use-usage-view.ts'

const UsageCharts = lazy(async () => ({ default: (await import('./usage-charts.tsx')).UsageCharts }))

/** Calls of the person's agents and workflows, over time, by agent and by key. */
export function UsageReport() {
  const view = useUsageView()
  const queries = useQueryClient()
  const { data, error, refetch, isFetching } = useUsage(view.request)
  const refresh = () => {
    view.renew()
    void queries.invalidateQueries({ queryKey: ['usage'] })
  }

  return (
    <div className="stack">
      <UsageControls view={view} isBusy={isFetching} onRefresh={refresh} />
      <OnlyTags view={view} usage={data} />
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {!data && !error && <PageLoading />}
      {data && <Report usage={data} view={view} isBusy={isFetching} />}
    </div>
  )
}

function Report({ usage, view, isBusy }: { usage: Usage; view: UsageView; isBusy: boolean }) {
  const t = useTexts(usageTexts)
  const { request, change } = view
  // numbers of the other kind, while its own are on the way
  const isOther = (request.kind === 'chat') !== (usage.by_agent !== null)
  if (isOther) return <PageLoading />
  if (usage.total.calls === 0) {
    const action = <Link to={request.kind === 'chat' ? '/agents' : '/workflows'}>{t(`empty.action_${request.kind}`)}</Link>
    return (
      <EmptyState icon={<BarChartOutlined aria-hidden />} title={t(`empty.title_${request.kind}`)} hint={t('empty.hint')} action={action} />
    )
  }
  return (
    <div className="stack" aria-busy={isBusy}>
      <UsageTotals total={usage.total} isChat={request.kind === 'chat'} />
      <Suspense fallback={<PageLoading />}>
        <UsageCharts usage={usage} request={request} />
      </Suspense>
      <UsageTables usage={usage} request={request} onSubject={(subject) => change({ subject })} onKey={(key) => change({ key })} />
    </div>
  )
}

/** What the numbers are narrowed to, each with a way out. */
function OnlyTags({ view: { request, subjectId, change }, usage }: { view: UsageView; usage: Usage | undefined }) {
  const t = useTexts(usageTexts)
  const keyText = useKeyText()
  const counted = usage?.by_key.find(({ key_id }) => key_id === request.key_id)
  // one that has no calls here is not among them
  const stored = useKeyName(usage && !counted ? request.key_id : '')
  const key = counted ?? {
    key_id: request.key_id,
    name: stored?.name ?? request.key_id,
    last_four: stored?.lastFour ?? '',
    is_deleted: false,
  }
  const only = [
    ...(subjectId === '' ? [] : [{ field: 'subject', text: t(`only_${request.kind}`, { name: subjectName(usage, subjectId) }) }]),
    ...(request.key_id === '' ? [] : [{ field: 'key', text: t('only_key', { name: keyText(key) }) }]),
  ]
  if (only.length === 0) return null
  return (
    <div>
      {only.map(({ field, text }) => (
        <Tag key={field} closable={{ 'aria-label': t('show_all') }} onClose={() => change({ [field]: '' })}>
          <bdi>{text}</bdi>
        </Tag>
      ))}
    </div>
  )
}

/** The id for one that has no calls here. */
function subjectName(usage: Usage | undefined, id: string): string {
  const agent = usage?.by_agent?.find(({ agent_id }) => agent_id === id)
  const workflow = usage?.by_workflow?.find(({ workflow_id }) => workflow_id === id)
  return (agent ?? workflow)?.name || id
}
