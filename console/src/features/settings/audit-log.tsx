import { AuditOutlined, SearchOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'
import type { AuditEntry, AuditPage } from '../../../../server/src/http/console/audit-wire.ts'
import { formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { ListPager } from '../../ui/list-pager.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { ScrollTable } from '../../ui/scroll-table.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { useAddress } from '../../ui/use-address.ts'
import { AuditEntryDialog } from './audit-entry-dialog.tsx'
import { AuditFilters } from './audit-filters.tsx'
import { useActorText, useDeedText, useTargetText } from './audit-names.ts'
import { auditTexts } from './audit-texts.ts'
import { useAuditLog } from './settings-queries.ts'
import { settingsTexts } from './settings-texts.ts'
import styles from './settings.module.css'

const SIZE = 20
const VERIFY = 'coze-plus audit verify'

/** Who did what on this server, for administrators. What is looked for is in the address. */
export function AuditLog() {
  const t = useTexts(auditTexts)
  const address = useAddress()
  const [action, actor, since] = [address.get('action'), address.get('actor'), address.get('since')]
  const filter = { page: address.page, size: SIZE, action, actor, from: startOf(since) }
  const { data, error, refetch, isPlaceholderData } = useAuditLog(filter)
  const isNarrowed = address.page > 1 || [action, actor, since].some((text) => text !== '')

  return (
    <div className="stack">
      <p className={styles.hint}>{t('hint')}</p>
      <p className={styles.hint}>
        {t('verify')} <code className={styles.command}>{VERIFY}</code>
      </p>
      <AuditFilters address={address} />
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {!data && !error && <PageLoading />}
      {data && data.items.length > 0 && <Found data={data} isBusy={isPlaceholderData} />}
      {data?.items.length === 0 && (
        <NoneFound isNarrowed={isNarrowed} onShowAll={() => address.change({ action: '', actor: '', since: '' })} />
      )}
      {data && <ListPager page={address.page} size={SIZE} total={data.total} onPage={address.goTo} />}
    </div>
  )
}

/** The beginning of a day of this place, in milliseconds; undefined for what is no day. */
function startOf(day: string): number | undefined {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00`).getTime() : Number.NaN
  return time >= 0 ? time : undefined
}

function NoneFound({ isNarrowed, onShowAll }: { isNarrowed: boolean; onShowAll: () => void }) {
  const t = useTexts(auditTexts)
  if (!isNarrowed) return <EmptyState icon={<AuditOutlined aria-hidden />} title={t('empty.title')} hint={t('empty.hint')} />
  const all = <Button onClick={onShowAll}>{t('filter.clear')}</Button>
  return <EmptyState icon={<SearchOutlined aria-hidden />} title={t('nothing.title')} hint={t('nothing.hint')} action={all} />
}

function Found({ data: { items, total }, isBusy }: { data: AuditPage; isBusy: boolean }) {
  const t = useTexts(auditTexts)
  const label = useTexts(settingsTexts)('audit.title')
  const shown = formatNumber(total, useLanguage())
  const [deedText, actorText, targetText] = [useDeedText(), useActorText(), useTargetText()]
  const [open, setOpen] = useState<AuditEntry>()
  const titles = (['when', 'who', 'what', 'target', 'from'] as const).map((key) => ({ key, title: t(`columns.${key}`) }))
  return (
    <>
      <span className="quiet" role="status">
        {t('total', { count: total, shown })}
      </span>
      <ScrollTable
        label={label}
        columns={[...titles, { key: 'details', title: <span className="unseen">{t('details')}</span> }]}
        rows={items.map((entry) => ({
          key: entry.id,
          cells: [
            <TimeText key="when" ms={entry.at} exact />,
            <span key="who" className={styles.name} dir="auto">
              {actorText(entry)} {entry.key_id !== null && <span className="quiet">{t('actor.key', { id: entry.key_id })}</span>}
            </span>,
            deedText(entry),
            <span key="target" className={styles.name} dir="auto">
              {targetText(entry)}
            </span>,
            <bdi key="from">{entry.address}</bdi>,
            <Button key="details" size="small" aria-label={t('details_of', { id: entry.id })} onClick={() => setOpen(entry)}>
              {t('details')}
            </Button>,
          ],
        }))}
        isBusy={isBusy}
      />
      {open && <AuditEntryDialog entry={open} onClose={() => setOpen(undefined)} />}
    </>
  )
}
