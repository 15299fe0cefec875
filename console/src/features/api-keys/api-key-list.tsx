import { KeyOutlined } from '@ant-design/icons'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { ListPager } from '../../ui/list-pager.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { useAddress } from '../../ui/use-address.ts'
import styles from './api-key-list.module.css'
import { ApiKeyRow } from './api-key-row.tsx'
import { useApiKeys } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'
import { KeyDialogs } from './key-dialogs.tsx'
import type { OpenKeyDialog } from './key-dialogs.tsx'

const SIZE = 20

export function ApiKeyList({ createButton }: { createButton: ReactNode }) {
  const t = useTexts(apiKeysTexts)
  const address = useAddress()
  const [open, setOpen] = useState<OpenKeyDialog>()
  const { data, error, refetch } = useApiKeys({ page: address.page, size: SIZE })

  if (error && !data) return <ErrorNotice error={error} onRetry={() => void refetch()} />
  if (!data) return <PageLoading />
  if (data.total === 0)
    return <EmptyState icon={<KeyOutlined aria-hidden />} title={t('empty.title')} hint={t('empty.hint')} action={createButton} />

  // the last one of the last page leaves no page behind
  const onDeleted = () => {
    if (data.items.length === 1 && address.page > 1) address.goTo(address.page - 1)
  }
  return (
    <div className="stack">
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      <ul className={styles.list} aria-label={t('title')}>
        {data.items.map((key) => (
          <ApiKeyRow key={key.id} apiKey={key} onOpen={setOpen} />
        ))}
      </ul>
      <ListPager page={address.page} size={SIZE} total={data.total} onPage={address.goTo} />
      <KeyDialogs open={open} onClose={() => setOpen(undefined)} onDeleted={onDeleted} />
    </div>
  )
}
