import {
  ApiOutlined,
  ApartmentOutlined,
  CheckCircleFilled,
  CloseCircleFilled,
  DatabaseOutlined,
  LoadingOutlined,
  MessageOutlined,
  NodeIndexOutlined,
  PauseCircleFilled,
  RobotOutlined,
  ToolOutlined,
  WarningFilled,
} from '@ant-design/icons'
import { Handle, Position } from '@xyflow/react'
import type { NodeProps } from '@xyflow/react'
import { Tooltip } from 'antd'
import { memo } from 'react'
import type { ReactNode } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { INPUT_HANDLE, handleOf } from './canvas-flow.ts'
import type { FlowData, FlowNode } from './canvas-flow.ts'
import { HEAD_HEIGHT, NODE_WIDTH } from './canvas-shape.ts'
import { readNote } from './comment-note.ts'
import styles from './flow-nodes.module.css'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

const GROUP_ICONS: Record<FlowData['group'], ReactNode> = {
  flow: <NodeIndexOutlined />,
  logic: <ApartmentOutlined />,
  ai: <RobotOutlined />,
  data: <DatabaseOutlined />,
  tools: <ToolOutlined />,
  chat: <MessageOutlined />,
  other: <ApiOutlined />,
}

export const GroupIcon = ({ group }: { group: FlowData['group'] }) => (
  <span aria-hidden className={`${styles.icon} ${styles[group] ?? ''}`}>
    {GROUP_ICONS[group]}
  </span>
)

const PlainNode = memo(function PlainNode({ data, selected }: NodeProps<FlowNode>) {
  return (
    <div className={cardClass(data, selected)}>
      {data.hasInput && <Handle type="target" position={Position.Left} id={INPUT_HANDLE} className={styles.inlet} />}
      <Head data={data} />
      <Ports data={data} />
    </div>
  )
})

/** A loop or batch: the node, and below it a frame around the nodes of its body. */
const BodyNode = memo(function BodyNode({ data, selected }: NodeProps<FlowNode>) {
  const inner = data.ports.find(({ isInner }) => isInner)
  const { head, frame } = data.body ?? NO_BODY
  const link = { left: head.x + HEAD_HEIGHT / 2, top: HEAD_HEIGHT, height: frame.y - HEAD_HEIGHT }
  return (
    <>
      <div className={styles.link} style={link} />
      <div className={`${cardClass(data, selected)} ${styles.owner}`} style={{ left: head.x, width: NODE_WIDTH, height: HEAD_HEIGHT }}>
        <Handle type="target" position={Position.Left} id={INPUT_HANDLE} className={styles.inlet} />
        <Head data={data} />
        <Ports data={data} />
      </div>
      <div
        className={`${cardClass(data, selected)} ${styles.frame}`}
        style={{ left: frame.x, top: frame.y, width: frame.width, height: frame.height }}
      >
        {inner && <Handle type="source" position={Position.Right} id={handleOf(inner.id)} className={styles.bodyStart} />}
        <Handle type="target" position={Position.Left} id="body-end" className={styles.bodyEnd} />
      </div>
    </>
  )
})

const NO_BODY = { head: { x: 0, y: 0 }, frame: { x: 0, y: HEAD_HEIGHT, width: NODE_WIDTH, height: NODE_WIDTH } }

const CommentNode = memo(function CommentNode({ data, selected }: NodeProps<FlowNode>) {
  const note = readNote(data.canvasNode)
  return <div className={`${styles.comment} ${selected ? styles.selected : ''}`}>{note === '' ? data.typeLabel : note}</div>
})

/** One object for ever: React Flow asks for that. */
export const flowNodeTypes = { plain: PlainNode, body: BodyNode, comment: CommentNode }

function cardClass({ issues, mark }: FlowData, selected: boolean): string {
  const look = [styles.card, issues.length > 0 ? styles.wrong : '', mark ? styles[mark.state] : '', selected ? styles.selected : '']
  return look.filter(Boolean).join(' ')
}

function Head({ data }: { data: FlowData }) {
  const { title, typeLabel, group, issues, mark } = data
  const t = useTexts(workflowEditorTexts)
  return (
    <div className={styles.head}>
      <GroupIcon group={group} />
      <div className={styles.words}>
        <div className={styles.title} dir="auto">
          {title === '' ? typeLabel : title}
        </div>
        <div className={styles.type}>{typeLabel}</div>
      </div>
      {mark && (
        <span className={styles.state} role="img" aria-label={t(`state.${mark.state}`)}>
          {STATE_ICONS[mark.state]}
          {mark.count > 1 && <small aria-label={t('node.runs', { count: mark.count })}>×{mark.count}</small>}
        </span>
      )}
      {issues.length > 0 && (
        <Tooltip title={issues.join('\n')} styles={{ root: { whiteSpace: 'pre-line' } }}>
          <WarningFilled className={styles.warning} role="img" aria-label={t('issues.count', { count: issues.length })} />
        </Tooltip>
      )}
    </div>
  )
}

const STATE_ICONS = {
  running: <LoadingOutlined spin />,
  waiting: <PauseCircleFilled />,
  done: <CheckCircleFilled />,
  failed: <CloseCircleFilled />,
}

/** The plain output is at the head; ports with names are rows. */
function Ports({ data: { ports } }: { data: FlowData }) {
  const plain = ports.find(({ name, isInner }) => name === '' && !isInner)
  const named = ports.filter(({ name, isInner }) => name !== '' && !isInner)
  return (
    <>
      {plain && <Handle type="source" position={Position.Right} id={handleOf(plain.id)} className={styles.outlet} />}
      {named.length > 0 && (
        <div className={styles.ports}>
          {named.map(({ id, name }) => (
            <div key={id} className={styles.port}>
              <span className={styles.portName} dir="auto">
                {name}
              </span>
              <Handle type="source" position={Position.Right} id={handleOf(id)} className={styles.portHandle} />
            </div>
          ))}
        </div>
      )}
    </>
  )
}
