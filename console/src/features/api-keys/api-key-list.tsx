import { DeleteOutlined, EditOutlined, KeyOutlined } from '@ant-design/icons'
import { App, Button, Tag } from 'antd'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { ListPager } from '../../ui/list-pager.tsx'
import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import styles from './api-key-list.module.css'
import { useApiKeys, useDeleteKey } from './api-keys-queries.ts'
import type { ListedKey } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'
import { RenameKeyDialog } from './rename-key-dialog.tsx'

const SIZE = 20
const SOON_MS = 7 * 86_400_000

export function ApiKeyList({ createButton }: { createButton: ReactNode }) {
  const t = useTexts(apiKeysTexts)
  const { message } = App.useApp()
  const [page, setPage] = useState(1)
  const [renamed, setRenamed] = useState<ListedKey>()
  const [deleted, setDeleted] = useState<ListedKey>()
  const { data, error, refetch } = useApiKeys({ page, size: SIZE })
  const remove = useDeleteKey()

  if (error && !data) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!data) return <PageLoading />
  if (data.total === 0)
    return <EmptyState icon={<KeyOutlined aria-hidden />} title={t('empty.title')} hint={t('empty.hint')} action={createButton} />

  const confirmed = async () => {
    if (!deleted) return
    await remove.mutateAsync(deleted.id)
    // the last one of the last page leaves no page behind
    if (data.items.length === 1 && page > 1) setPage(page - 1)
    void message.success(t('removed', { name: deleted.name }))
  }
  return (
    <div className="stack">
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      <ul className={styles.list} aria-label={t('title')}>
        {data.items.map((key) => (
          <KeyRow key={key.id} apiKey={key} onRename={() => setRenamed(key)} onDelete={() => setDeleted(key)} />
        ))}
      </ul>
      <ListPager page={page} size={SIZE} total={data.total} onPage={setPage} />
      {renamed && <RenameKeyDialog apiKey={renamed} onClose={() => setRenamed(undefined)} />}
      <ConfirmDanger
        open={deleted !== undefined}
        title={t('remove_title', { name: deleted?.name ?? '' })}
        consequence={t('remove_hint', { masked: deleted?.masked ?? '' })}
        action={t('remove')}
        onConfirm={confirmed}
        onClose={() => setDeleted(undefined)}
      />
    </div>
  )
}

function KeyRow({ apiKey, onRename, onDelete }: { apiKey: ListedKey; onRename: () => void; onDelete: () => void }) {
  const t = useTexts(apiKeysTexts)
  const { name, masked, createdAt, lastUsedAt, expiredAt } = apiKey
  return (
    <li className={styles.row}>
      <div className={styles.words}>
        <strong dir="auto">{name}</strong>
        <code className={styles.masked}>{masked}</code>
      </div>
      <div>
        <ExpiryState expiredAt={expiredAt} />
      </div>
      <dl className={styles.times}>
        <dt>{t('last_used')}</dt>
        <dd>
          <TimeText ms={lastUsedAt} none={t('never_used')} />
        </dd>
        <dt>{t('created')}</dt>
        <dd>
          <TimeText ms={createdAt} />
        </dd>
      </dl>
      <div className={styles.actions}>
        <Button type="text" icon={<EditOutlined aria-hidden />} aria-label={t('rename_label', { name })} onClick={onRename} />
        <Button type="text" danger icon={<DeleteOutlined aria-hidden />} aria-label={t('remove_label', { name })} onClick={onDelete} />
      </div>
    </li>
  )
}

function ExpiryState({ expiredAt }: { expiredAt: number }) {
  const t = useTexts(apiKeysTexts)
  const [now] = useState(Date.now)
  if (expiredAt === 0) {
    return (
      <>
        <Tag color="green" variant="filled">
          {t('state.active')}
        </Tag>
        <div className={styles.expiry}>{t('no_expiry')}</div>
      </>
    )
  }
  const isExpired = expiredAt <= now
  const state = isExpired ? 'expired' : expiredAt - now < SOON_MS ? 'soon' : 'active'
  return (
    <>
      <Tag color={{ active: 'green', soon: 'gold', expired: 'red' }[state]} variant="filled">
        {t(`state.${state}`)}
      </Tag>
      <div className={styles.expiry}>
        {isExpired ? t('expired_at') : t('expires_at')} <TimeText ms={expiredAt} />
      </div>
    </>
  )
}
