import { ApiOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Modal, Tag } from 'antd'
import { useState } from 'react'
import type { Model } from '../../../../server/src/http/console/model-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { useCurrentUser } from '../../lib/current-user.ts'
import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { QuickSearch } from '../../ui/quick-search.tsx'
import { ScrollTable } from '../../ui/scroll-table.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { useAddress } from '../../ui/use-address.ts'
import { ModelDialog } from './model-dialog.tsx'
import { ModelTestRun } from './model-test-run.tsx'
import styles from './settings.module.css'
import { useDeleteModel, useModels } from './settings-queries.ts'
import { settingsTexts } from './settings-texts.ts'

const SIZE = 20

type Open = { what: 'new' } | { what: 'edit' | 'delete' | 'test'; model: Model }

/** Models that agents can use. Administrators change and test them; others see what there is. */
export function ModelList() {
  const t = useTexts(settingsTexts)
  const address = useAddress()
  const isAdmin = useCurrentUser().role === 'admin'
  const search = address.get('q')
  const { data, error, refetch, isPlaceholderData } = useModels({ page: address.page, size: SIZE, search })
  const [open, setOpen] = useState<Open>()

  return (
    <div className="stack">
      <p className={styles.hint}>{isAdmin ? t('models.hint') : t('models.hint_user')}</p>
      <div className={styles.bar}>
        <QuickSearch label={t('models.search')} value={search} onChange={(q) => address.change({ q }, { replace: true })} />
        {isAdmin && (
          <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setOpen({ what: 'new' })}>
            {t('models.add')}
          </Button>
        )}
      </div>
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {!data && !error && <PageLoading />}
      {data?.items.length === 0 && (
        <EmptyState icon={<ApiOutlined aria-hidden />} title={t('models.nothing')} hint={t('models.nothing_hint')} />
      )}
      {data && data.items.length > 0 && <ModelTable models={data.items} isAdmin={isAdmin} isBusy={isPlaceholderData} onOpen={setOpen} />}
      {data && <ListPager page={address.page} size={SIZE} total={data.total} onPage={address.goTo} />}
      <ModelDialogs open={open} onClose={() => setOpen(undefined)} />
    </div>
  )
}

type ModelTableProps = { models: Model[]; isAdmin: boolean; isBusy: boolean; onOpen: (open: Open) => void }

function ModelTable({ models, isAdmin, isBusy, onOpen }: ModelTableProps) {
  const t = useTexts(settingsTexts)
  const columns = [
    t('models.name'),
    t('models.protocol'),
    t('models.provider_model'),
    ...(isAdmin ? [t('models.base_url')] : []),
    t('models.key'),
    t('changed'),
  ]
  const rows = models.map((model) => {
    const { id, name, protocol, provider_model, base_url, has_api_key, is_built_in, updated_at } = model
    const cells = [
      <span key="name" dir="auto" className={styles.name}>
        {name} {is_built_in && <Tag>{t('models.built_in')}</Tag>}
      </span>,
      t(`models.protocols.${protocol}`),
      <bdi key="model">{provider_model || '–'}</bdi>,
      ...(isAdmin ? [<bdi key="url">{base_url || t('models.vendor_url')}</bdi>] : []),
      has_api_key ? t('models.key_stored') : t('models.key_none'),
      is_built_in ? '–' : <TimeText key="time" ms={updated_at} />,
      ...(isAdmin ? [<ModelActions key="actions" model={model} onOpen={onOpen} />] : []),
    ]
    return { key: id, cells }
  })
  const actions = <span className="unseen">{t('actions')}</span>
  return (
    <ScrollTable
      label={t('models.title')}
      columns={[...columns.map((title) => ({ key: title, title })), ...(isAdmin ? [{ key: 'actions', title: actions }] : [])]}
      rows={rows}
      isBusy={isBusy}
    />
  )
}

/** What is built in is made of nothing that could be changed or fail. */
function ModelActions({ model, onOpen }: { model: Model; onOpen: (open: Open) => void }) {
  const t = useTexts(settingsTexts)
  if (model.is_built_in) return null
  const { name } = model
  return (
    <span className={styles.actions}>
      <Button size="small" onClick={() => onOpen({ what: 'test', model })} aria-label={t('models.test_name', { name })}>
        {t('models.test_short')}
      </Button>
      <Button size="small" onClick={() => onOpen({ what: 'edit', model })} aria-label={t('change_name', { name })}>
        {t('change')}
      </Button>
      <Button size="small" danger onClick={() => onOpen({ what: 'delete', model })} aria-label={t('delete_name', { name })}>
        {t('delete')}
      </Button>
    </span>
  )
}

function ModelDialogs({ open, onClose }: { open: Open | undefined; onClose: () => void }) {
  const t = useTexts(settingsTexts)
  const remove = useDeleteModel()
  if (open?.what === 'new') return <ModelDialog onClose={onClose} />
  if (open?.what === 'edit') return <ModelDialog model={open.model} onClose={onClose} />
  if (open?.what === 'delete') {
    const { model } = open
    return (
      <ConfirmDanger
        open
        title={t('models.delete_title', { name: model.name })}
        consequence={t('models.delete_consequence')}
        action={t('models.delete_action')}
        typeToConfirm={model.name}
        onConfirm={() => remove.mutateAsync(model)}
        onClose={onClose}
      />
    )
  }
  if (open?.what === 'test') {
    const { id, protocol, base_url, provider_model, name } = open.model
    return (
      <Modal open title={t('models.test_title', { name })} footer={null} onCancel={onClose}>
        <ModelTestRun read={() => Promise.resolve({ id, protocol, base_url, provider_model })} startsAtOnce />
      </Modal>
    )
  }
  return null
}
