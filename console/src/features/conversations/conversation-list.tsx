import { CommentOutlined, SearchOutlined } from '@ant-design/icons'
import { Badge, Button, Segmented } from 'antd'
import { Link } from 'react-router'
import type { Conversation, ConversationPage } from '../../../../server/src/http/console/conversation-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { QuickSearch } from '../../ui/quick-search.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { useAddress } from '../../ui/use-address.ts'
import { AgentFilter, EndUserFilter } from './conversation-filters.tsx'
import styles from './conversation-list.module.css'
import { useConversations } from './conversations-queries.ts'
import { conversationsTexts } from './conversations-texts.ts'

const SIZE = 20
const KINDS = ['live', 'test'] as const
// where the server stops counting
const MOST_COUNTED = 10_000

/** Conversations of the person's agents, newest first. What is looked for is in the address. */
export function ConversationList() {
  const t = useTexts(conversationsTexts)
  const address = useAddress()
  const kind = KINDS.find((each) => each === address.get('kind')) ?? 'live'
  const [search, agentId, endUser] = [address.get('q'), address.get('agent'), address.get('user')]
  const filter = { page: address.page, size: SIZE, search, agent_id: agentId, end_user: endUser, kind }
  const { data, error, refetch, isPlaceholderData } = useConversations(filter)
  const isNarrowed = address.page > 1 || [search, agentId, endUser].some((text) => text !== '')

  return (
    <div className="stack">
      <div className={styles.filters}>
        <QuickSearch label={t('search')} value={search} onChange={(q) => address.change({ q }, { replace: true })} />
        <AgentFilter value={agentId} onChange={(agent) => address.change({ agent })} />
        <EndUserFilter value={endUser} agentId={agentId} onChange={(user) => address.change({ user })} />
        <Segmented
          aria-label={t('kind.label')}
          value={kind}
          options={KINDS.map((value) => ({ value, label: t(`kind.${value}`) }))}
          onChange={(value) => address.change({ kind: value === 'live' ? '' : value })}
        />
      </div>
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {!data && !error && <PageLoading />}
      {data && data.items.length > 0 && <Found data={data} isBusy={isPlaceholderData} page={address.page} onPage={address.goTo} />}
      {data?.items.length === 0 && (
        <NoneFound kind={kind} isNarrowed={isNarrowed} onShowAll={() => address.change({ q: '', agent: '', user: '' })} />
      )}
    </div>
  )
}

type NoneFoundProps = { kind: (typeof KINDS)[number]; isNarrowed: boolean; onShowAll: () => void }

function NoneFound({ kind, isNarrowed, onShowAll }: NoneFoundProps) {
  const t = useTexts(conversationsTexts)
  if (isNarrowed) {
    const all = <Button onClick={onShowAll}>{t('nothing.action')}</Button>
    return <EmptyState icon={<SearchOutlined aria-hidden />} title={t('nothing.title')} hint={t('nothing.hint')} action={all} />
  }
  if (kind === 'test')
    return <EmptyState icon={<CommentOutlined aria-hidden />} title={t('empty_test.title')} hint={t('empty_test.hint')} />
  const action = <Link to="/agents">{t('empty.action')}</Link>
  return <EmptyState icon={<CommentOutlined aria-hidden />} title={t('empty.title')} hint={t('empty.hint')} action={action} />
}

type FoundProps = { data: ConversationPage; isBusy: boolean; page: number; onPage: (page: number) => void }

function Found({ data: { items, total }, isBusy, page, onPage }: FoundProps) {
  const t = useTexts(conversationsTexts)
  const shown = formatNumber(total, useLanguage())
  return (
    <>
      <span className="quiet" role="status">
        {total >= MOST_COUNTED ? t('total_most', { shown }) : t('total', { count: total, shown })}
      </span>
      <ul className={styles.list} aria-label={t('title')} aria-busy={isBusy}>
        {items.map((conversation) => (
          <ConversationRow key={conversation.id} conversation={conversation} />
        ))}
      </ul>
      <ListPager page={page} size={SIZE} total={total} onPage={onPage} />
    </>
  )
}

function ConversationRow({ conversation }: { conversation: Conversation }) {
  const t = useTexts(conversationsTexts)
  const { id, name, external_id, agent_name, end_user, updated_at, is_busy } = conversation
  return (
    <li className={styles.row}>
      <div className={styles.words}>
        <Link to={`/conversations/${id}`} className={styles.name} dir="auto">
          {name || external_id || t('unnamed', { id })}
        </Link>
        <div className={styles.line} dir="auto">
          {agent_name || t('agent_gone')}
        </div>
      </div>
      <div className={styles.user} dir="auto">
        <span className="unseen">{t('end_user')}: </span>
        {end_user || <span className="quiet">{t('no_user')}</span>}
      </div>
      <div className={styles.when}>
        {is_busy && <Badge status="processing" text={t('busy')} />} <TimeText ms={updated_at} />
      </div>
    </li>
  )
}
