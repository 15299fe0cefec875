import { CheckCircleOutlined, LoadingOutlined, WarningOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { agentEditorTexts } from './agent-editor-texts.ts'
import type { SaveState } from './draft-saver.ts'
import styles from './agent-editor.module.css'

const ICONS = {
  saved: <CheckCircleOutlined />,
  waiting: <LoadingOutlined />,
  saving: <LoadingOutlined />,
  failed: <WarningOutlined />,
  conflict: <WarningOutlined />,
}

/** Whether the server has what is on the page; read out when that changes. */
export function SaveBadge({ state, onRetry }: { state: SaveState; onRetry: () => void }) {
  const t = useTexts(agentEditorTexts)
  return (
    <span className={styles.save} data-state={state}>
      <span role="status">
        <span aria-hidden>{ICONS[state]}</span> {t(`save.${state}`)}
      </span>
      {state === 'failed' && (
        <Button size="small" type="link" onClick={onRetry}>
          {t('save.retry')}
        </Button>
      )}
    </span>
  )
}
