import { ApartmentOutlined, MessageOutlined, MoreOutlined, SearchOutlined } from '@ant-design/icons'
import { App, Button, Dropdown, Segmented, Select, Tag } from 'antd'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import type { WorkflowItem } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { QuickSearch } from '../../ui/quick-search.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { useAddress } from '../../ui/use-address.ts'
import type { Address } from '../../ui/use-address.ts'
import styles from './workflow-list.module.css'
import { useDeleteWorkflow, useWorkflows } from './workflows-queries.ts'
import { workflowsTexts } from './workflows-texts.ts'

const SIZE = 20
const STATES = ['all', 'published', 'draft'] as const
const MODES = ['all', 'workflow', 'chatflow'] as const

/** All workflows of the person. What is searched for is in the address. `actions` make the first one. */
export function WorkflowList({ actions }: { actions: ReactNode }) {
  const t = useTexts(workflowsTexts)
  const address = useAddress()
  const [doomed, setDoomed] = useState<WorkflowItem>()
  const status = STATES.find((each) => each === address.get('status')) ?? 'all'
  const mode = MODES.find((each) => each === address.get('mode')) ?? 'all'
  const search = address.get('q')
  const { data, error, refetch, isPlaceholderData } = useWorkflows({
    ...{ page: address.page, size: SIZE, search, status },
    mode: mode === 'all' ? undefined : mode,
  })

  if (error && !data) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!data) return <PageLoading />
  const isFiltered = search !== '' || status !== 'all' || mode !== 'all'
  if (data.total === 0 && !isFiltered)
    return <EmptyState icon={<ApartmentOutlined aria-hidden />} title={t('empty.title')} hint={t('empty.hint')} action={actions} />

  return (
    <div className="stack">
      <Filters address={address} filter={{ search, status, mode }} total={data.total} />
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {data.items.length === 0 ? (
        <EmptyState
          icon={<SearchOutlined aria-hidden />}
          title={t('nothing.title')}
          hint={t('nothing.hint')}
          action={<Button onClick={() => address.change({ q: '', status: '', mode: '' })}>{t('nothing.action')}</Button>}
        />
      ) : (
        <ul className={styles.list} aria-label={t('title')} aria-busy={isPlaceholderData}>
          {data.items.map((item) => (
            <WorkflowRow key={item.id} item={item} onDelete={() => setDoomed(item)} />
          ))}
        </ul>
      )}
      <ListPager page={address.page} size={SIZE} total={data.total} onPage={address.goTo} />
      <DeleteWorkflow item={doomed} onClose={() => setDoomed(undefined)} />
    </div>
  )
}

type Filter = { search: string; status: (typeof STATES)[number]; mode: (typeof MODES)[number] }

function Filters({ address, filter, total }: { address: Address; filter: Filter; total: number }) {
  const t = useTexts(workflowsTexts)
  const language = useLanguage()
  const orNothing = (value: string) => (value === 'all' ? '' : value)
  return (
    <div className={styles.filters}>
      <QuickSearch label={t('search')} value={filter.search} onChange={(q) => address.change({ q }, { replace: true })} />
      <Segmented
        aria-label={t('status.label')}
        value={filter.status}
        options={STATES.map((value) => ({ value, label: t(`status.${value}`) }))}
        onChange={(status) => address.change({ status: orNothing(status) })}
      />
      <Select
        aria-label={t('mode.label')}
        value={filter.mode}
        options={MODES.map((value) => ({ value, label: t(`mode.${value}`) }))}
        onChange={(mode) => address.change({ mode: orNothing(mode) })}
        style={{ minWidth: 120 }}
      />
      <span className="quiet" role="status">
        {t('total', { count: total, shown: formatNumber(total, language) })}
      </span>
    </div>
  )
}

function WorkflowRow({ item, onDelete }: { item: WorkflowItem; onDelete: () => void }) {
  const t = useTexts(workflowsTexts)
  const { id, name, description, mode, version, updated_at } = item
  const menu = { items: [{ key: 'delete', label: t('remove'), danger: true, onClick: onDelete }] }
  return (
    <li className={styles.row}>
      <span className={styles.icon} aria-hidden>
        {mode === 'chatflow' ? <MessageOutlined /> : <ApartmentOutlined />}
      </span>
      <div className={styles.words}>
        <Link to={`/workflows/${id}`} className={styles.name} dir="auto">
          {name}
        </Link>
        <div className={styles.description} dir="auto">
          {description || <span className="mono">{t('id', { id })}</span>}
        </div>
      </div>
      <div className={styles.tags}>
        {mode === 'chatflow' && <Tag variant="filled">{t('mode.chatflow')}</Tag>}
        <Tag color={version === null ? undefined : 'green'} variant="filled">
          {version === null ? t('not_live') : t('live', { version })}
        </Tag>
      </div>
      <div className={styles.edited}>
        <span className="quiet">{t('edited')}</span> <TimeText ms={updated_at} />
      </div>
      <div className={styles.links}>
        <Link to={`/workflows/${id}/runs`} aria-label={t('open_runs', { name })}>
          {t('runs')}
        </Link>
        <Dropdown menu={menu} trigger={['click']} placement="bottomRight">
          <Button type="text" icon={<MoreOutlined aria-hidden />} aria-label={t('more', { name })} />
        </Dropdown>
      </div>
    </li>
  )
}

function DeleteWorkflow({ item, onClose }: { item: WorkflowItem | undefined; onClose: () => void }) {
  const t = useTexts(workflowsTexts)
  const { message } = App.useApp()
  const remove = useDeleteWorkflow()
  const name = item?.name ?? ''
  const confirm = async () => {
    if (!item) return
    await remove.mutateAsync(item)
    void message.success(t('delete.done', { name }))
  }
  return (
    <ConfirmDanger
      open={item !== undefined}
      title={t('delete.title', { name })}
      consequence={t('delete.hint')}
      action={t('delete.action')}
      typeToConfirm={name}
      onConfirm={confirm}
      onClose={onClose}
    />
  )
}
