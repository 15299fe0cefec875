import { ReloadOutlined } from '@ant-design/icons'
import { Sender } from '@ant-design/x'
import { Alert, Button, Collapse, Input } from 'antd'
import { useEffect, useRef, useState } from 'react'
import type { AgentDraft } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { MarkdownText } from '../../ui/markdown-text.tsx'
import { AgentIcon } from './agent-icon.tsx'
import { agentPreviewTexts } from './agent-preview-texts.ts'
import styles from './preview-chat.module.css'
import { PreviewTurnView } from './preview-turn-view.tsx'
import { QuestionButtons } from './question-buttons.tsx'
import { usePreviewChat } from './use-preview-chat.ts'

export type PreviewChatProps = { agentId: string; draft: AgentDraft; flush: () => Promise<boolean> }

/** A chat with the agent as it is being edited. */
export function PreviewChat({ agentId, draft, flush }: PreviewChatProps) {
  const t = useTexts(agentPreviewTexts)
  const [text, setText] = useState('')
  const [values, setValues] = useState<Record<string, string>>({})
  const [isUnsaved, setUnsaved] = useState(false)
  const flushOrSay = async () => {
    const isSaved = await flush()
    setUnsaved(!isSaved)
    return isSaved
  }
  const chat = usePreviewChat({ agentId, flush: flushOrSay })
  const end = useScrollToEnd(chat.turns)

  const ask = async (question: string) => {
    if (question.trim() === '' || chat.isBusy) return
    if (await chat.ask(question.trim(), values)) setText('')
  }
  const again = () => {
    setUnsaved(false)
    chat.startAgain()
  }

  return (
    <section className={styles.chat} aria-label={t('title')}>
      <header className={styles.head}>
        <div>
          <h2 className={styles.title}>{t('title')}</h2>
          <p className={styles.hint}>{t('hint')}</p>
        </div>
        <Button icon={<ReloadOutlined aria-hidden />} onClick={again} disabled={chat.turns.length === 0}>
          {t('again')}
        </Button>
      </header>
      <div className={styles.turns} tabIndex={0} role="log" aria-label={t('title')} aria-busy={chat.isBusy}>
        <Opening draft={draft} isFresh={chat.turns.length === 0} onAsk={(question) => void ask(question)} />
        {chat.turns.map((turn, index) => (
          <PreviewTurnView
            key={turn.key}
            turn={turn}
            agent={draft}
            isLast={index === chat.turns.length - 1}
            onAsk={(question) => void ask(question)}
            onAnswerCalls={chat.answerCalls}
            onReconnect={chat.reconnect}
          />
        ))}
        <div ref={end} />
      </div>
      <footer className={styles.foot}>
        {isUnsaved && <Alert role="alert" type="warning" showIcon title={t('unsaved')} closable={{ onClose: () => setUnsaved(false) }} />}
        <ErrorNotice error={chat.error} />
        {draft.mode === 'agent' && <VariableValues variables={draft.variables} values={values} onChange={setValues} />}
        <Sender
          value={text}
          placeholder={t('placeholder')}
          loading={chat.isBusy}
          onChange={setText}
          onSubmit={(question) => void ask(question)}
          onCancel={chat.stop}
          components={SENDER_PARTS}
        />
      </footer>
    </section>
  )
}

/** The sender's own field has no name, and measures itself in a way that the content security policy forbids. */
const SENDER_PARTS = { input: QuestionField }

function QuestionField({ autoSize: _measuring, style, ...props }: React.ComponentProps<typeof Input.TextArea>) {
  const t = useTexts(agentPreviewTexts)
  return (
    <GrowingTextArea
      {...props}
      minRows={1}
      maxRows={8}
      style={{ ...style, minHeight: 0, resize: 'none' }}
      aria-label={t('question')}
      dir="auto"
    />
  )
}

function Opening({ draft, isFresh, onAsk }: { draft: AgentDraft; isFresh: boolean; onAsk: (question: string) => void }) {
  const t = useTexts(agentPreviewTexts)
  const { prologue, suggested_questions } = draft.onboarding
  return (
    <>
      <div className={styles.opening}>
        <AgentIcon name={draft.name} url={draft.icon_url} size={48} />
        <strong dir="auto">{draft.name}</strong>
        {prologue !== '' && <MarkdownText text={prologue} />}
      </div>
      {isFresh && suggested_questions.length > 0 && (
        <QuestionButtons label={t('suggestions')} questions={suggested_questions} onAsk={onAsk} />
      )}
    </>
  )
}

type ValuesProps = {
  variables: AgentDraft['variables']
  values: Record<string, string>
  onChange: (values: Record<string, string>) => void
}

function VariableValues({ variables, values, onChange }: ValuesProps) {
  const t = useTexts(agentPreviewTexts)
  if (variables.length === 0) return null
  const fields = variables.map(({ name, default: usual }) => (
    <label key={name} className={styles.value}>
      <code>{name}</code>
      <Input
        size="small"
        value={values[name] ?? ''}
        placeholder={usual}
        aria-label={t('value', { name })}
        onChange={({ target }) => {
          const { [name]: _before, ...rest } = values
          onChange(target.value === '' ? rest : { ...rest, [name]: target.value })
        }}
      />
    </label>
  ))
  return (
    <Collapse ghost size="small" items={[{ key: 'values', label: t('values'), children: <div className={styles.values}>{fields}</div> }]} />
  )
}

/** Follows what is written, unless the person has scrolled up to read. */
function useScrollToEnd(turns: unknown) {
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const box = end.current?.parentElement
    if (box && box.scrollHeight - box.scrollTop - box.clientHeight < 160) box.scrollTop = box.scrollHeight
  }, [turns])
  return end
}
