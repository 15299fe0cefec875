import { Alert, Badge, Tag } from 'antd'
import type { ReactNode } from 'react'
import type { Status } from '../../../../server/src/http/console/status-wire.ts'
import { formatBytes, formatDuration, formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { PageLoading } from '../../ui/page-loading.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import styles from './settings.module.css'
import { useServerStatus } from './settings-queries.ts'
import { settingsTexts } from './settings-texts.ts'

/** How the server and what it stands on are; stays up to date by itself. */
export function ServerStatus() {
  const { data, error, refetch } = useServerStatus()
  return (
    <div className="stack">
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {!data && !error && <PageLoading />}
      {data && <StatusCards status={data} />}
    </div>
  )
}

function StatusCards({ status }: { status: Status }) {
  const t = useTexts(settingsTexts)
  const language = useLanguage()
  const count = (value: number) => formatNumber(value, language)
  return (
    <div className={styles.cards}>
      <Card title={t('status.server')}>
        <Fact label={t('status.version')}>{status.version}</Fact>
        <Fact label="Node.js">{status.node_version}</Fact>
        <Fact label={t('status.public_url')}>
          <bdi>{status.public_url}</bdi>
        </Fact>
        <Fact label={t('status.started')}>
          <TimeText ms={status.started_at} />
        </Fact>
      </Card>
      <PartCard title={t('status.database')} part={status.database} />
      <PartCard title={t('status.storage')} part={status.storage} />
      {status.redis ? (
        <PartCard title="Redis" part={status.redis} />
      ) : (
        <Card title="Redis" badge={<Tag>{t('status.not_used')}</Tag>}>
          <Fact label={t('status.meaning')}>{t('status.no_redis')}</Fact>
        </Card>
      )}
      <Card title={t('status.work')}>
        <Fact label={t('status.runs')}>{count(status.running_runs)}</Fact>
        <Fact label={t('status.streams')}>{count(status.open_streams)}</Fact>
        <Fact label={t('status.memory')}>{formatBytes(status.memory_bytes)}</Fact>
        <Fact label={t('status.nodes')}>{count(status.nodes)}</Fact>
      </Card>
    </div>
  )
}

function PartCard({ title, part }: { title: string; part: Status['database'] }) {
  const t = useTexts(settingsTexts)
  const { kind, version, is_ok, problem, latency_ms, free_bytes } = part
  return (
    <Card title={title} badge={<Badge status={is_ok ? 'success' : 'error'} text={is_ok ? t('status.ok') : t('status.broken')} />}>
      <Fact label={t('status.kind')}>{kind === 'disk' ? t('status.disk') : kind}</Fact>
      {version !== '' && <Fact label={t('status.version')}>{version}</Fact>}
      {latency_ms !== null && <Fact label={t('status.latency')}>{formatDuration(latency_ms)}</Fact>}
      {free_bytes !== null && <Fact label={t('status.free')}>{formatBytes(free_bytes)}</Fact>}
      {problem !== '' && <Alert type={is_ok ? 'warning' : 'error'} showIcon title={problem} className={styles.problem} />}
    </Card>
  )
}

function Card({ title, badge, children }: { title: string; badge?: ReactNode; children: ReactNode }) {
  return (
    <section className={styles.card} aria-label={title}>
      <h2 className={styles.cardTitle}>
        {title} {badge}
      </h2>
      {children}
    </section>
  )
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <dl className={styles.fact}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </dl>
  )
}
