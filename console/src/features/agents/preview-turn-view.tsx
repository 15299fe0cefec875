import { ToolOutlined } from '@ant-design/icons'
import { Bubble, Think } from '@ant-design/x'
import { Alert, Button, Form } from 'antd'
import { useId } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { MarkdownText } from '../../ui/markdown-text.tsx'
import { AgentIcon } from './agent-icon.tsx'
import { agentPreviewTexts } from './agent-preview-texts.ts'
import styles from './preview-chat.module.css'
import { QuestionButtons } from './question-buttons.tsx'
import type { PreviewPart, PreviewTurn } from './preview-turns.ts'

export type PreviewTurnViewProps = {
  turn: PreviewTurn
  agent: { name: string; icon_url: string }
  isLast: boolean
  onAsk: (question: string) => void
  onAnswerCalls: (outputs: { tool_call_id: string; output: string }[]) => Promise<void>
  onReconnect: () => void
}

/** A question, and what came of it. */
export function PreviewTurnView({ turn, agent, isLast, onAsk, onAnswerCalls, onReconnect }: PreviewTurnViewProps) {
  const t = useTexts(agentPreviewTexts)
  const isSilent = turn.state === 'running' && turn.parts.length === 0
  return (
    <div className={styles.turn}>
      <Bubble
        placement="end"
        content={turn.question}
        contentRender={(question) => (
          <span className={styles.question} dir="auto">
            {question}
          </span>
        )}
      />
      {turn.parts.map((part) => (
        <PartView key={part.id} part={part} agent={agent} />
      ))}
      {isSilent && (
        <Bubble content="" loading avatar={<AgentIcon name={agent.name} url={agent.icon_url} size={28} />} aria-label={t('running')} />
      )}
      <TurnProblem turn={turn} onReconnect={onReconnect} />
      {isLast && turn.state === 'waiting' && <CallsForm turn={turn} onAnswer={onAnswerCalls} />}
      {isLast && turn.state === 'completed' && turn.followUps.length > 0 && (
        <QuestionButtons label={t('follow_ups')} questions={turn.followUps} onAsk={onAsk} />
      )}
      {turn.state === 'completed' && <TurnFoot turn={turn} />}
    </div>
  )
}

function TurnProblem({ turn, onReconnect }: Pick<PreviewTurnViewProps, 'turn' | 'onReconnect'>) {
  const t = useTexts(agentPreviewTexts)
  switch (turn.state) {
    case 'failed':
      return <Alert role="alert" type="error" showIcon title={t('failed')} description={turn.problem || t('failed_hint')} />
    case 'canceled':
      return <Alert role="status" type="info" title={t('canceled')} />
    case 'lost': {
      const goOn = (
        <Button size="small" onClick={onReconnect}>
          {t('reconnect')}
        </Button>
      )
      return <Alert role="alert" type="warning" showIcon title={t('lost')} description={t('lost_hint')} action={goOn} />
    }
    default:
      return null
  }
}

function PartView({ part, agent }: { part: PreviewPart; agent: PreviewTurnViewProps['agent'] }) {
  const t = useTexts(agentPreviewTexts)
  if (part.kind === 'answer') {
    if (part.text === '' && part.reasoning === '') return null
    return (
      <Bubble
        avatar={<AgentIcon name={agent.name} url={agent.icon_url} size={28} />}
        variant="outlined"
        classNames={{ body: styles.answer }}
        content={part.text}
        contentRender={() => (
          <>
            {part.reasoning !== '' && (
              <Think title={t('thinking')} defaultExpanded={false}>
                <MarkdownText text={part.reasoning} />
              </Think>
            )}
            <MarkdownText text={part.text} />
          </>
        )}
      />
    )
  }
  const [title, text] = part.kind === 'call' ? [t('called', { name: part.name }), part.input] : [t('result'), part.text]
  return (
    <details className={styles.step}>
      <summary>
        <ToolOutlined aria-hidden /> {title}
      </summary>
      <pre tabIndex={0}>{text}</pre>
    </details>
  )
}

function TurnFoot({ turn }: { turn: PreviewTurn }) {
  const t = useTexts(agentPreviewTexts)
  const said = turn.parts.flatMap((part) => (part.kind === 'answer' ? [part.text] : [])).join('\n\n')
  return (
    <div className={styles.turnFoot}>
      <CopyButton text={said} label={t('copy')} bare type="text" size="small" />
      {turn.tokens > 0 && <span className="quiet">{t('tokens', { count: turn.tokens })}</span>}
    </div>
  )
}

function CallsForm({ turn, onAnswer }: { turn: PreviewTurn; onAnswer: PreviewTurnViewProps['onAnswerCalls'] }) {
  const t = useTexts(agentPreviewTexts)
  const formId = useId()
  return (
    <Form<Record<string, string>>
      name={formId}
      layout="vertical"
      className={styles.calls}
      onFinish={(fields) => void onAnswer(turn.waitingFor.map(({ id }) => ({ tool_call_id: id, output: fields[id] ?? '' })))}
    >
      <p>{t('waiting')}</p>
      {turn.waitingFor.map(({ id, name, input }) => (
        <Form.Item key={id} name={id} label={t('output', { name })} extra={<code>{input}</code>}>
          <GrowingTextArea minRows={1} maxRows={8} dir="auto" />
        </Form.Item>
      ))}
      <Button type="primary" htmlType="submit">
        {t('answer')}
      </Button>
    </Form>
  )
}
