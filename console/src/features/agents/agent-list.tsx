import { ApiOutlined, RobotOutlined, SearchOutlined } from '@ant-design/icons'
import { Button, Segmented, Tag } from 'antd'
import type { ReactNode } from 'react'
import { Link, useSearchParams } from 'react-router'
import type { AgentItem } from '../../../../server/src/http/console/agent-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { QuickSearch } from '../../ui/quick-search.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { AgentIcon } from './agent-icon.tsx'
import styles from './agent-list.module.css'
import { useAgents } from './agents-queries.ts'
import { agentsTexts } from './agents-texts.ts'

const STATES = ['all', 'published', 'draft'] as const
const SIZE = 20

/** All agents of the person. What is searched for and the page are in the address. */
export function AgentList({ createButton }: { createButton: ReactNode }) {
  const t = useTexts(agentsTexts)
  const language = useLanguage()
  const filter = useFilter()
  const { data, error, refetch, isPlaceholderData } = useAgents({
    page: filter.page,
    size: SIZE,
    search: filter.search,
    status: filter.status,
  })

  if (error && !data) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!data) return <PageLoading />
  if (data.total === 0 && !filter.isSet) {
    return <EmptyState icon={<RobotOutlined aria-hidden />} title={t('empty.title')} hint={t('empty.hint')} action={createButton} />
  }
  return (
    <div className="stack">
      <div className={styles.filters}>
        <QuickSearch label={t('search')} value={filter.search} onChange={(search) => filter.change({ q: search })} />
        <Segmented
          aria-label={t('status.label')}
          value={filter.status}
          options={STATES.map((value) => ({ value, label: t(`status.${value}`) }))}
          onChange={(status) => filter.change({ status: status === 'all' ? '' : status })}
        />
        <span className="quiet" role="status">
          {t('total', { count: data.total, shown: formatNumber(data.total, language) })}
        </span>
      </div>
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {data.items.length === 0 ? (
        <EmptyState
          icon={<SearchOutlined aria-hidden />}
          title={t('nothing.title')}
          hint={t('nothing.hint')}
          action={<Button onClick={() => filter.change({ q: '', status: '' })}>{t('nothing.action')}</Button>}
        />
      ) : (
        <ul className={styles.list} aria-label={t('title')} aria-busy={isPlaceholderData}>
          {data.items.map((agent) => (
            <AgentRow key={agent.id} agent={agent} />
          ))}
        </ul>
      )}
      <ListPager
        page={filter.page}
        size={SIZE}
        total={data.total}
        onPage={(page) => filter.change({ page: page === 1 ? '' : String(page) })}
      />
    </div>
  )
}

function AgentRow({ agent }: { agent: AgentItem }) {
  const t = useTexts(agentsTexts)
  const { id, name, description, icon_url, version, updated_at, last_call_at } = agent
  return (
    <li className={styles.row}>
      <AgentIcon name={name} url={icon_url} size={44} />
      <div className={styles.words}>
        <Link to={`/agents/${id}`} className={styles.name} dir="auto">
          {name}
        </Link>
        <div className={styles.description} dir="auto">
          {description || <span className="mono">{t('id', { id })}</span>}
        </div>
      </div>
      <div className={styles.status}>
        <Tag color={version === null ? undefined : 'green'} variant="filled">
          {version === null ? t('not_live') : t('live', { version })}
        </Tag>
      </div>
      <dl className={styles.times}>
        <dt>{t('last_call')}</dt>
        <dd>
          <TimeText ms={last_call_at ?? undefined} none={t('no_call')} />
        </dd>
        <dt>{t('edited')}</dt>
        <dd>
          <TimeText ms={updated_at} />
        </dd>
      </dl>
      <Link to={`/agents/${id}/api`} className={styles.api} aria-label={t('open_api', { name })}>
        <ApiOutlined aria-hidden /> {t('api')}
      </Link>
    </li>
  )
}

/** Any change but that of the page begins at the first one. */
function useFilter() {
  const [query, setQuery] = useSearchParams()
  const search = query.get('q') ?? ''
  const status = STATES.find((each) => each === query.get('status')) ?? 'all'
  const page = Math.max(1, Math.trunc(Number(query.get('page'))) || 1)

  const change = (fields: Record<string, string>) => {
    const next = new URLSearchParams(query)
    for (const [name, value] of Object.entries({ page: '', ...fields })) {
      if (value === '') next.delete(name)
      else next.set(name, value)
    }
    // each letter of a search is no page to go back to
    setQuery(next, { replace: 'q' in fields })
  }
  return { search, status, page, change, isSet: search !== '' || status !== 'all' || page > 1 }
}
