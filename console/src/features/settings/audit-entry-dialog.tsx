import { Modal } from 'antd'
import type { ReactNode } from 'react'
import type { AuditEntry } from '../../../../server/src/http/console/audit-wire.ts'
import { formatExactTime } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { useActorText, useDeedText, useTargetText } from './audit-names.ts'
import { auditTexts } from './audit-texts.ts'
import styles from './settings.module.css'

/** Everything that was recorded. */
export function AuditEntryDialog({ entry, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const t = useTexts(auditTexts)
  const language = useLanguage()
  const [deedText, actorText, targetText] = [useDeedText(), useActorText(), useTargetText()]
  const { id, at, action, actor_kind, actor_user_id, key_id, address, details } = entry
  const facts: [string, ReactNode][] = [
    [t('columns.when'), formatExactTime(at, language)],
    [t('columns.who'), actorText(entry)],
    [t('entry.by'), t(`entry.ways.${actor_kind}`)],
    ...(actor_user_id === null ? [] : [[t('entry.user'), actor_user_id] satisfies [string, ReactNode]]),
    ...(key_id === null ? [] : [[t('entry.key'), key_id] satisfies [string, ReactNode]]),
    [t('columns.from'), address],
    [
      t('entry.action'),
      <>
        {deedText(entry)} <code className="quiet">{action}</code>
      </>,
    ],
    [t('columns.target'), targetText(entry)],
    ...Object.entries(details).map(([name, value]): [string, ReactNode] => [name, <code>{String(value)}</code>]),
  ]
  return (
    <Modal open title={t('entry.title', { id })} footer={null} onCancel={onClose}>
      {facts.map(([label, value]) => (
        <dl key={label} className={styles.fact}>
          <dt>{label}</dt>
          <dd dir="auto">{value}</dd>
        </dl>
      ))}
      {Object.keys(details).length === 0 && <p className="quiet">{t('entry.nothing')}</p>}
    </Modal>
  )
}
