import {
  CheckCircleOutlined,
  ClockCircleOutlined,
  CloseCircleOutlined,
  LoadingOutlined,
  PauseCircleOutlined,
  StopOutlined,
} from '@ant-design/icons'
import { Tag } from 'antd'
import type { ReactNode } from 'react'
import type { NodeState, WorkflowRunItem } from '../../../server/src/http/console/workflow-run-wire.ts'
import { useTexts } from '../lib/texts.ts'
import { runTexts } from './run-texts.ts'

export type RunStatusName = WorkflowRunItem['status'] | NodeState['state']

// the words keep the colour of text: Ant Design's coloured ones are too pale to read
const looks: Record<RunStatusName, { color: string; icon: ReactNode }> = {
  queued: { color: 'text-secondary', icon: <ClockCircleOutlined aria-hidden /> },
  running: { color: 'primary', icon: <LoadingOutlined spin aria-hidden /> },
  waiting: { color: 'warning', icon: <PauseCircleOutlined aria-hidden /> },
  succeeded: { color: 'success', icon: <CheckCircleOutlined aria-hidden /> },
  done: { color: 'success', icon: <CheckCircleOutlined aria-hidden /> },
  failed: { color: 'error', icon: <CloseCircleOutlined aria-hidden /> },
  canceled: { color: 'text-secondary', icon: <StopOutlined aria-hidden /> },
}

/** How a run of a workflow, or one of its nodes, fares. */
export function RunStatus({ status }: { status: RunStatusName }) {
  const t = useTexts(runTexts)
  const { color, icon } = looks[status]
  return (
    <Tag variant="filled" icon={<span style={{ marginInlineEnd: 4, color: `var(--ant-color-${color})` }}>{icon}</span>}>
      {t(`status.${status}`)}
    </Tag>
  )
}
