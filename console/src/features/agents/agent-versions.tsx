import { HistoryOutlined } from '@ant-design/icons'
import { App, Button, Tag } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import type { Agent, Version } from '../../../../server/src/http/console/agent-wire.ts'
import { ListPager } from '../../ui/list-pager.tsx'
import { useTexts } from '../../lib/texts.ts'
import { ConfirmDanger } from '../../ui/confirm-danger.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import styles from './agent-versions.module.css'
import { useRollBack, useUnpublish, useVersions } from './agents-queries.ts'
import { agentsTexts } from './agents-texts.ts'
import { VersionDrawer } from './version-drawer.tsx'

const SIZE = 20

/** All that was ever published of an agent, and which of it is live. */
export function AgentVersions({ agent }: { agent: Agent }) {
  const t = useTexts(agentsTexts)
  const [page, setPage] = useState(1)
  const [looked, setLooked] = useState<string>()
  const [chosen, setChosen] = useState<string>()
  const { data, error, refetch } = useVersions(agent.id, { page, size: SIZE })

  return (
    <>
      <PageHeader
        title={t('history.title', { name: agent.draft.name })}
        description={t('history.description')}
        backTo={`/agents/${agent.id}`}
        actions={agent.live && <Unpublish agent={agent} />}
      />
      <div className="stack">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
        {!data && !error && <PageLoading />}
        {data?.total === 0 && <NoVersions agentId={agent.id} />}
        {data && data.total > 0 && (
          <ul className={styles.list} aria-label={t('versions')}>
            {data.items.map((version) => (
              <VersionRow
                key={version.version}
                version={version}
                onLook={() => setLooked(version.version)}
                onRollBack={() => setChosen(version.version)}
              />
            ))}
          </ul>
        )}
        <ListPager page={page} size={SIZE} total={data?.total ?? 0} onPage={setPage} />
      </div>
      <RollBack agent={agent} version={chosen} onClose={() => setChosen(undefined)} />
      {looked !== undefined && <VersionDrawer agent={agent} version={looked} onClose={() => setLooked(undefined)} />}
    </>
  )
}

function NoVersions({ agentId }: { agentId: string }) {
  const t = useTexts(agentsTexts)
  const navigate = useNavigate()
  return (
    <EmptyState
      icon={<HistoryOutlined aria-hidden />}
      title={t('history.empty.title')}
      hint={t('history.empty.hint')}
      action={<Button onClick={() => void navigate(`/agents/${agentId}`)}>{t('history.empty.action')}</Button>}
    />
  )
}

type RowProps = { version: Version; onLook: () => void; onRollBack: () => void }

function VersionRow({ version: { version, note, created_at, is_live }, onLook, onRollBack }: RowProps) {
  const t = useTexts(agentsTexts)
  return (
    <li className={styles.row}>
      <div className={styles.words}>
        <div>
          <strong dir="auto">{version}</strong>{' '}
          {is_live && (
            <Tag color="green" variant="filled">
              {t('history.is_live')}
            </Tag>
          )}
        </div>
        <div className={styles.note} dir="auto">
          {note || <span className="quiet">{t('history.no_note')}</span>}
        </div>
      </div>
      <TimeText ms={created_at} />
      <div className={styles.actions}>
        <Button onClick={onLook} aria-label={t('history.look', { version })}>
          {t('history.look_short')}
        </Button>
        {!is_live && (
          <Button onClick={onRollBack} aria-label={t('history.roll_back_label', { version })}>
            {t('history.roll_back')}
          </Button>
        )}
      </div>
    </li>
  )
}

function RollBack({ agent, version, onClose }: { agent: Agent; version: string | undefined; onClose: () => void }) {
  const t = useTexts(agentsTexts)
  const { message } = App.useApp()
  const rollBack = useRollBack(agent.id)

  const confirmed = async () => {
    if (version === undefined) return
    await rollBack.mutateAsync(version)
    void message.success(t('history.rolled_back', { version }))
  }
  return (
    <ConfirmDanger
      open={version !== undefined}
      title={t('history.roll_back_title', { version: version ?? '' })}
      consequence={agent.live ? t('history.roll_back_hint', { live: agent.live.version }) : t('history.roll_back_hint_unpublished')}
      action={t('history.roll_back')}
      onConfirm={confirmed}
      onClose={onClose}
    />
  )
}

function Unpublish({ agent }: { agent: Agent }) {
  const t = useTexts(agentsTexts)
  const { message } = App.useApp()
  const [isAsking, setAsking] = useState(false)
  const unpublish = useUnpublish(agent.id)
  return (
    <>
      <Button danger onClick={() => setAsking(true)}>
        {t('history.unpublish')}
      </Button>
      <ConfirmDanger
        open={isAsking}
        title={t('history.unpublish_title', { name: agent.draft.name })}
        consequence={t('history.unpublish_hint')}
        action={t('history.unpublish')}
        onConfirm={async () => {
          await unpublish.mutateAsync()
          void message.success(t('history.unpublished'))
        }}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
