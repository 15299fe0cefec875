import { DownloadOutlined } from '@ant-design/icons'
import { Button, Tabs } from 'antd'
import { useState } from 'react'
import type { ReactNode } from 'react'
import type { Measures, Usage } from '../../../../server/src/http/console/usage-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { formatDuration, formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { ScrollTable } from '../../ui/scroll-table.tsx'
import { useDownload } from '../../ui/use-download.ts'
import { CSV_PATH } from './usage-queries.ts'
import type { UsageRequest } from './usage-queries.ts'
import { useBucketText, useKeyText } from './usage-names.ts'
import { usageTexts } from './usage-texts.ts'

export type UsageTablesProps = {
  usage: Usage
  request: UsageRequest
  onSubject: (id: string) => void
  onKey: (id: string) => void
}

const VIEWS = ['time', 'subject', 'key'] as const
type View = (typeof VIEWS)[number]

/** The numbers of the charts, and of each agent or workflow and each key; any of them as CSV. */
export function UsageTables(props: UsageTablesProps) {
  const t = useTexts(usageTexts)
  const [view, setView] = useState<View>('time')
  const download = useDownload()
  const { kind } = props.request
  const title = (each: View) => (each === 'subject' ? t(`by.${kind}`) : t(`by.${each}`))

  const csvButton = (
    <Button
      icon={<DownloadOutlined aria-hidden />}
      loading={download.isBusy}
      onClick={() => void download.start(CSV_PATH, { name: `usage-by-${view}.csv`, query: { ...props.request, by: view } })}
    >
      {t('csv')}
    </Button>
  )
  return (
    <Tabs
      activeKey={view}
      onChange={(key) => setView(VIEWS.find((each) => each === key) ?? 'time')}
      items={VIEWS.map((each) => ({
        key: each,
        label: title(each),
        children: each === view && (
          <div className="stack">
            <MeasuresTable key={each} label={title(each)} isChat={kind === 'chat'} rows={rowsOf(each)} />
            <div>{csvButton}</div>
          </div>
        ),
      }))}
    />
  )

  function rowsOf(each: View): MeasuresRow[] {
    const { usage, onSubject, onKey } = props
    if (each === 'time')
      return usage.buckets
        .map((bucket) => ({ ...bucket, key: String(bucket.from), name: <BucketName bucket={bucket} of={props.request} /> }))
        .reverse()
    if (each === 'key')
      return usage.by_key.map((key) => ({ ...key, key: key.key_id, name: <KeyName of={key} onChoose={() => onKey(key.key_id)} /> }))
    const subjects = usage.by_agent?.map(({ agent_id: id, ...rest }) => ({ id, ...rest })) ?? []
    const workflows = usage.by_workflow?.map(({ workflow_id: id, ...rest }) => ({ id, ...rest })) ?? []
    return [...subjects, ...workflows].map(({ id, name, ...measures }) => ({
      ...measures,
      key: id,
      name: <NameButton onChoose={() => onSubject(id)}>{name || t('gone', { id })}</NameButton>,
    }))
  }
}

function BucketName({ bucket, of }: { bucket: { from: number }; of: UsageRequest }) {
  return useBucketText(of)(bucket.from)
}

function KeyName({ of, onChoose }: { of: Usage['by_key'][number]; onChoose: () => void }) {
  return <NameButton onChoose={onChoose}>{useKeyText()(of)}</NameButton>
}

/** Shows this one alone. */
function NameButton({ onChoose, children }: { onChoose: () => void; children: ReactNode }) {
  const t = useTexts(usageTexts)
  return (
    <Button type="link" size="small" onClick={onChoose} title={t('only')} style={{ padding: 0, maxWidth: 360 }}>
      <bdi style={{ overflow: 'hidden', textOverflow: 'ellipsis' }}>{children}</bdi>
    </Button>
  )
}

type MeasuresRow = Measures & { key: string; name: ReactNode }

const PAGE = 31

function MeasuresTable({ label, rows, isChat }: { label: string; rows: MeasuresRow[]; isChat: boolean }) {
  const t = useTexts(usageTexts)
  const language = useLanguage()
  const [page, setPage] = useState(1)
  // other numbers may have fewer pages
  const shown = Math.min(page, Math.max(1, Math.ceil(rows.length / PAGE)))
  const count = (value: number) => formatNumber(value, language)
  const time = (ms: number | null) => (ms === null ? '–' : formatDuration(ms))
  const titles = [
    ...[t('calls'), t('errors'), t('canceled'), t('input_tokens'), t('output_tokens'), t('latency_p50'), t('latency_p95')],
    ...(isChat ? [t('first_token_p50'), t('first_token_p95')] : []),
  ]

  if (rows.length === 0) return <p className="quiet">{t('nothing_here')}</p>
  return (
    <div className="stack">
      <ScrollTable
        label={label}
        columns={[{ key: 'name', title: label }, ...titles.map((title) => ({ key: title, title, isNumber: true }))]}
        rows={rows.slice((shown - 1) * PAGE, shown * PAGE).map((row) => ({
          key: row.key,
          cells: [
            row.name,
            ...[row.calls, row.errors, row.canceled, row.input_tokens, row.output_tokens].map(count),
            ...[row.latency_p50_ms, row.latency_p95_ms].map(time),
            ...(isChat ? [row.first_token_p50_ms, row.first_token_p95_ms].map(time) : []),
          ],
        }))}
      />
      <ListPager page={shown} size={PAGE} total={rows.length} onPage={setPage} />
    </div>
  )
}
