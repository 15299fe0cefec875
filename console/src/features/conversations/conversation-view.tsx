import { CommentOutlined } from '@ant-design/icons'
import { Divider, Segmented } from 'antd'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import type { Conversation, MessagePage } from '../../../../server/src/http/console/conversation-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { useAddress } from '../../ui/use-address.ts'
import { ChatError, ChatSummary } from './chat-summary.tsx'
import styles from './conversation-view.module.css'
import { useMessages } from './conversations-queries.ts'
import { conversationsTexts } from './conversations-texts.ts'
import { toMessageGroups } from './message-groups.ts'
import type { MessageGroup } from './message-groups.ts'
import { MessageItem } from './message-item.tsx'

const SIZE = 50
const ORDERS = ['asc', 'desc'] as const

/** Everything that was said, a page at a time. */
export function ConversationView({ conversation }: { conversation: Conversation }) {
  const t = useTexts(conversationsTexts)
  const address = useAddress()
  const language = useLanguage()
  const order = ORDERS.find((each) => each === address.get('order')) ?? 'asc'
  const { data, error, refetch } = useMessages(conversation.id, { page: address.page, size: SIZE, order }, conversation.is_busy)

  return (
    <div className="stack">
      <Facts conversation={conversation} />
      <div className={styles.bar}>
        <span className="quiet" role="status">
          {data && t('message_count', { count: data.total, shown: formatNumber(data.total, language) })}
        </span>
        <Segmented
          aria-label={t('order.label')}
          value={order}
          options={ORDERS.map((value) => ({ value, label: t(`order.${value}`) }))}
          onChange={(value) => address.change({ order: value === 'asc' ? '' : value })}
        />
      </div>
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {!data && !error && <PageLoading />}
      {data && <Messages data={data} />}
      {data && <ListPager page={address.page} size={SIZE} total={data.total} onPage={address.goTo} />}
    </div>
  )
}

function Messages({ data: { items, chats } }: { data: MessagePage }) {
  const t = useTexts(conversationsTexts)
  if (items.length === 0)
    return <EmptyState icon={<CommentOutlined aria-hidden />} title={t('no_messages.title')} hint={t('no_messages.hint')} />
  return (
    <section aria-label={t('messages')} className="stack">
      {toMessageGroups(items, chats).map((group) => (
        <Group key={group.key} group={group} />
      ))}
    </section>
  )
}

function Group({ group: { messages, chat, isNewSection } }: { group: MessageGroup }) {
  const t = useTexts(conversationsTexts)
  return (
    <>
      {isNewSection && (
        <Divider plain className={styles.section}>
          {t('section')}
        </Divider>
      )}
      <div className={styles.group}>
        {messages.map((message) => (
          <MessageItem key={message.id} message={message} />
        ))}
        {chat && <ChatError chat={chat} />}
        {chat && <ChatSummary chat={chat} />}
      </div>
    </>
  )
}

function Facts({ conversation }: { conversation: Conversation }) {
  const t = useTexts(conversationsTexts)
  const { id, external_id, agent_id, agent_name, end_user, created_at, updated_at } = conversation
  const userList = `/conversations?${new URLSearchParams({ user: end_user }).toString()}`
  const hasAgent = agent_id !== null && agent_name !== ''
  return (
    <dl className={styles.facts} aria-label={t('facts.label')}>
      <Fact label={t('facts.agent')}>{hasAgent ? <Link to={`/agents/${agent_id}`}>{agent_name}</Link> : t('agent_gone')}</Fact>
      <Fact label={t('facts.end_user')}>
        {end_user === '' ? <span className="quiet">{t('no_user')}</span> : <Link to={userList}>{end_user}</Link>}
      </Fact>
      <Fact label={t('facts.created')}>
        <TimeText ms={created_at} exact />
      </Fact>
      <Fact label={t('facts.updated')}>
        <TimeText ms={updated_at} exact />
      </Fact>
      <Fact label={t('facts.id')}>
        <span className="mono">{id}</span> <CopyButton text={id} label={t('copy_id')} size="small" type="text" bare />
      </Fact>
      {external_id !== null && <Fact label={t('facts.external_id')}>{external_id}</Fact>}
    </dl>
  )
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <dt>{label}</dt>
      <dd dir="auto">{children}</dd>
    </div>
  )
}
