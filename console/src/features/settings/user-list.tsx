import { PlusOutlined, UserOutlined } from '@ant-design/icons'
import { Badge, Button, Tag } from 'antd'
import { useState } from 'react'
import type { User } from '../../../../server/src/http/console/user-wire.ts'
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
import { useErrorToast } from '../../ui/use-error-toast.ts'
import styles from './settings.module.css'
import { useChangeUser, useUsers } from './settings-queries.ts'
import { settingsTexts } from './settings-texts.ts'
import { ChangeUserDialog, NewUserDialog, ResetPasswordDialog } from './user-dialogs.tsx'

const SIZE = 20

type Open = { what: 'new' } | { what: 'edit' | 'password' | 'disable'; user: User }

/** The accounts of this server, for administrators. */
export function UserList() {
  const t = useTexts(settingsTexts)
  const address = useAddress()
  const search = address.get('q')
  const { data, error, refetch, isPlaceholderData } = useUsers({ page: address.page, size: SIZE, search })
  const [open, setOpen] = useState<Open>()

  return (
    <div className="stack">
      <p className={styles.hint}>{t('users.hint')}</p>
      <div className={styles.bar}>
        <QuickSearch label={t('users.search')} value={search} onChange={(q) => address.change({ q }, { replace: true })} />
        <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setOpen({ what: 'new' })}>
          {t('users.add')}
        </Button>
      </div>
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {!data && !error && <PageLoading />}
      {data?.items.length === 0 && (
        <EmptyState icon={<UserOutlined aria-hidden />} title={t('users.nothing')} hint={t('users.nothing_hint')} />
      )}
      {data && data.items.length > 0 && <UserTable users={data.items} isBusy={isPlaceholderData} onOpen={setOpen} />}
      {data && <ListPager page={address.page} size={SIZE} total={data.total} onPage={address.goTo} />}
      <UserDialogs open={open} onClose={() => setOpen(undefined)} />
    </div>
  )
}

function UserTable({ users, isBusy, onOpen }: { users: User[]; isBusy: boolean; onOpen: (open: Open) => void }) {
  const t = useTexts(settingsTexts)
  const me = useCurrentUser()
  const titles = [t('users.email'), t('users.name'), t('users.role'), t('users.state'), t('users.created')]
  return (
    <ScrollTable
      label={t('users.title')}
      columns={[
        ...titles.map((title) => ({ key: title, title })),
        { key: 'actions', title: <span className="unseen">{t('actions')}</span> },
      ]}
      rows={users.map((user) => ({
        key: user.id,
        cells: [
          <span key="email" className={styles.name} dir="auto">
            {user.email} {user.id === me.id && <Tag>{t('users.me')}</Tag>}
          </span>,
          <bdi key="name">{user.name}</bdi>,
          t(`users.roles.${user.role}`),
          user.is_disabled ? <Badge key="state" status="error" text={t('users.disabled')} /> : t('users.active'),
          <TimeText key="time" ms={user.created_at} />,
          <UserActions key="actions" user={user} isMe={user.id === me.id} onOpen={onOpen} />,
        ],
      }))}
      isBusy={isBusy}
    />
  )
}

function UserActions({ user, isMe, onOpen }: { user: User; isMe: boolean; onOpen: (open: Open) => void }) {
  const t = useTexts(settingsTexts)
  const change = useChangeUser()
  const showError = useErrorToast()
  const name = user.email
  return (
    <span className={styles.actions}>
      <Button size="small" onClick={() => onOpen({ what: 'edit', user })} aria-label={t('change_name', { name })}>
        {t('change')}
      </Button>
      <Button size="small" onClick={() => onOpen({ what: 'password', user })} aria-label={t('users.password_name', { name })}>
        {t('users.password')}
      </Button>
      {!isMe && !user.is_disabled && (
        <Button size="small" danger onClick={() => onOpen({ what: 'disable', user })} aria-label={t('users.disable_name', { name })}>
          {t('users.disable')}
        </Button>
      )}
      {user.is_disabled && (
        <Button
          size="small"
          loading={change.isPending}
          onClick={() => change.mutate({ id: user.id, is_disabled: false }, { onError: showError })}
          aria-label={t('users.enable_name', { name })}
        >
          {t('users.enable')}
        </Button>
      )}
    </span>
  )
}

function UserDialogs({ open, onClose }: { open: Open | undefined; onClose: () => void }) {
  const t = useTexts(settingsTexts)
  const change = useChangeUser()
  switch (open?.what) {
    case undefined:
      return null
    case 'new':
      return <NewUserDialog onClose={onClose} />
    case 'edit':
      return <ChangeUserDialog user={open.user} onClose={onClose} />
    case 'password':
      return <ResetPasswordDialog user={open.user} onClose={onClose} />
    case 'disable': {
      const { id, email } = open.user
      return (
        <ConfirmDanger
          open
          title={t('users.disable_title', { name: email })}
          consequence={t('users.disable_consequence')}
          action={t('users.disable_action')}
          onConfirm={() => change.mutateAsync({ id, is_disabled: true })}
          onClose={onClose}
        />
      )
    }
  }
}
