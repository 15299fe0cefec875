import { CheckCircleOutlined, CloseOutlined } from '@ant-design/icons'
import { Alert, Button } from 'antd'
import type { CanvasIssue, IssueGroup } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useEditorRoom } from './editor-room.ts'
import styles from './issues-panel.module.css'
import { useReveal } from './use-reveal.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type IssuesPanelProps = { groups: IssueGroup[] | undefined; error: unknown; onClose: () => void }

/** What keeps the workflow from running; each leads to its node. */
export function IssuesPanel({ groups, error, onClose }: IssuesPanelProps) {
  const t = useTexts(workflowEditorTexts)
  return (
    <section className={styles.panel} aria-label={t('issues.title')}>
      <header className={styles.head}>
        <h2>{t('issues.title')}</h2>
        <Button type="text" icon={<CloseOutlined aria-hidden />} aria-label={t('close')} onClick={onClose} />
      </header>
      <ErrorNotice error={error} />
      {groups?.length === 0 && <Alert type="success" showIcon icon={<CheckCircleOutlined aria-hidden />} title={t('issues.good')} />}
      {groups?.map((group) => (
        <div key={group.workflow_id ?? ''}>
          {group.workflow_id !== null && <h3 dir="auto">{t('issues.other', { name: group.name })}</h3>}
          <IssueList issues={group.issues} isOwn={group.workflow_id === null} />
        </div>
      ))}
      {groups !== undefined && groups.length > 0 && <p className="quiet">{t('issues.hint')}</p>}
    </section>
  )
}

function IssueList({ issues, isOwn }: { issues: CanvasIssue[]; isOwn: boolean }) {
  const t = useTexts(workflowEditorTexts)
  const { select } = useEditorRoom()
  const reveal = useReveal()
  const open = (nodeId: string) => {
    select(nodeId)
    reveal(nodeId)
  }
  return (
    <ul className={styles.issues}>
      {issues.map(({ node_id, node_title, edge, path, message }, index) => {
        const target = node_id ?? edge?.from
        const name = node_title || target || t('issues.whole')
        return (
          <li key={index}>
            {isOwn && target !== undefined ? (
              <button type="button" className={styles.place} onClick={() => open(target)}>
                <span dir="auto">{name}</span>
              </button>
            ) : (
              <strong dir="auto">{name}</strong>
            )}
            <div>{message}</div>
            {path !== '' && <code className="mono quiet">{path}</code>}
          </li>
        )
      })}
    </ul>
  )
}
