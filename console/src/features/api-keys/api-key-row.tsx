import { BarChartOutlined, CheckCircleOutlined, DeleteOutlined, EditOutlined, StopOutlined, SyncOutlined } from '@ant-design/icons'
import { App, Button, Tag, Tooltip } from 'antd'
import type { ButtonProps } from 'antd'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { useTexts } from '../../lib/texts.ts'
import { TimeText } from '../../ui/time-text.tsx'
import { useErrorToast } from '../../ui/use-error-toast.ts'
import styles from './api-key-list.module.css'
import { useUpdateKey } from './api-keys-queries.ts'
import type { ListedKey } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'
import type { OpenKeyDialog } from './key-dialogs.tsx'
import { usePolicySummary } from './key-policy-summary.ts'
import { keyStateOf } from './key-state.ts'

export type ApiKeyRowProps = { apiKey: ListedKey; onOpen: (dialog: OpenKeyDialog) => void }

export function ApiKeyRow({ apiKey, onOpen }: ApiKeyRowProps) {
  const t = useTexts(apiKeysTexts)
  const summarize = usePolicySummary()
  const { name, masked, createdAt, lastUsedAt, policy, oldSecrets } = apiKey
  return (
    <li className={styles.row}>
      <div className={styles.words}>
        <strong dir="auto">{name}</strong>
        <code className={styles.masked}>{masked}</code>
      </div>
      <StateOfKey apiKey={apiKey} />
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
      <KeyActions apiKey={apiKey} onOpen={onOpen} />
      <div className={styles.more}>
        <div>{summarize(policy)}</div>
        {oldSecrets.map(({ lastFour, validUntil, lastUsedAt: oldUsedAt }) => (
          <div key={lastFour + String(validUntil)}>
            {t('old_secret', { last4: lastFour })} <TimeText ms={validUntil} exact /> · {t('old_secret_used')}{' '}
            <TimeText ms={oldUsedAt} none={t('never_used')} />
          </div>
        ))}
      </div>
    </li>
  )
}

const COLORS = { active: 'green', soon: 'gold', expired: 'red', disabled: 'default' }

function StateOfKey({ apiKey }: { apiKey: ListedKey }) {
  const t = useTexts(apiKeysTexts)
  const [now] = useState(Date.now)
  const { expiredAt } = apiKey
  const state = keyStateOf(apiKey, now)
  return (
    <div>
      <Tag color={COLORS[state]} variant="filled">
        {t(`state.${state}`)}
      </Tag>
      <div className={styles.expiry}>
        {expiredAt === 0 ? (
          t('no_expiry')
        ) : (
          <>
            {state === 'expired' ? t('expired_at') : t('expires_at')} <TimeText ms={expiredAt} />
          </>
        )}
      </div>
    </div>
  )
}

function KeyActions({ apiKey, onOpen }: ApiKeyRowProps) {
  const t = useTexts(apiKeysTexts)
  const { message } = App.useApp()
  const navigate = useNavigate()
  const showError = useErrorToast()
  const update = useUpdateKey()
  const { id, name, isDisabled } = apiKey

  const usage = `/usage?key=${encodeURIComponent(id)}`
  const enable = () =>
    update.mutate({ id, disabled: false }, { onSuccess: () => void message.success(t('enabled', { name })), onError: showError })
  // a link, for whoever wants it in another tab
  const goToUsage: ButtonProps['onClick'] = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    void navigate(usage)
  }
  return (
    <div className={styles.actions} role="group" aria-label={t('actions_label', { name })}>
      <IconButton label={t('usage_label', { name })} icon={<BarChartOutlined aria-hidden />} href={usage} onClick={goToUsage} />
      <IconButton label={t('edit_label', { name })} icon={<EditOutlined aria-hidden />} onClick={() => onOpen({ what: 'edit', apiKey })} />
      <IconButton
        label={t('rotate.label', { name })}
        icon={<SyncOutlined aria-hidden />}
        onClick={() => onOpen({ what: 'rotate', apiKey })}
      />
      {isDisabled ? (
        <IconButton
          label={t('enable_label', { name })}
          icon={<CheckCircleOutlined aria-hidden />}
          loading={update.isPending}
          onClick={enable}
        />
      ) : (
        <IconButton
          label={t('disable_label', { name })}
          icon={<StopOutlined aria-hidden />}
          onClick={() => onOpen({ what: 'disable', apiKey })}
        />
      )}
      <IconButton
        label={t('remove_label', { name })}
        icon={<DeleteOutlined aria-hidden />}
        danger
        onClick={() => onOpen({ what: 'delete', apiKey })}
      />
    </div>
  )
}

function IconButton({
  label,
  ...props
}: Pick<ButtonProps, 'href' | 'danger' | 'loading' | 'onClick'> & { label: string; icon: ReactNode }) {
  return (
    <Tooltip title={label}>
      <Button type="text" aria-label={label} {...props} />
    </Tooltip>
  )
}
