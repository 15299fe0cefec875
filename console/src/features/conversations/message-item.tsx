import { DislikeOutlined, LikeOutlined, PaperClipOutlined } from '@ant-design/icons'
import type { Message } from '../../../../server/src/http/console/conversation-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { CodeBlock } from '../../ui/code-block.tsx'
import { MarkdownText } from '../../ui/markdown-text.tsx'
import { TimeText } from '../../ui/time-text.tsx'
import { conversationsTexts } from './conversations-texts.ts'
import styles from './message-item.module.css'
import { parseMessageParts, parseToolCall, prettyJson } from './message-parts.ts'
import type { MessagePart } from './message-parts.ts'

/** One message, of whatever kind. Nothing in it is fetched or run: it comes from models and strangers. */
export function MessageItem({ message }: { message: Message }) {
  switch (message.type) {
    case 'question':
    case 'answer':
      return <Said message={message} />
    case 'function_call':
    case 'tool_output':
    case 'tool_response':
    case 'verbose':
      return <Technical message={message} type={message.type} />
    case 'follow_up':
      return <FollowUp message={message} />
  }
}

function Said({ message }: { message: Message }) {
  const t = useTexts(conversationsTexts)
  const { role, reasoning, created_at, feedback } = message
  return (
    <article className={role === 'user' ? styles.user : styles.assistant} aria-label={t(`role.${role}`)}>
      <header className={styles.head}>
        <strong>{t(`role.${role}`)}</strong> <TimeText ms={created_at} exact />
      </header>
      {reasoning !== '' && (
        <details className={styles.details}>
          <summary>{t('reasoning')}</summary>
          <div className={styles.plain} dir="auto">
            {reasoning}
          </div>
        </details>
      )}
      <Content message={message} />
      {feedback && (
        <footer className={styles.feedback} dir="auto">
          {feedback.type === 'like' ? <LikeOutlined aria-hidden /> : <DislikeOutlined aria-hidden />} {t(`feedback.${feedback.type}`)}
          {feedback.comment !== '' && `: ${feedback.comment}`}
        </footer>
      )}
    </article>
  )
}

function Content({ message: { role, content, content_type } }: { message: Message }) {
  const t = useTexts(conversationsTexts)
  const parts = content_type === 'object_string' ? parseMessageParts(content) : undefined
  if (parts) return parts.map((part, at) => <Part key={at} part={part} />)
  if (content_type !== 'text') return <CodeBlock code={prettyJson(content)} label={t('type.card')} />
  if (role === 'assistant') return <MarkdownText text={content} />
  return (
    <div className={styles.plain} dir="auto">
      {content}
    </div>
  )
}

function Part({ part }: { part: MessagePart }) {
  const t = useTexts(conversationsTexts)
  if (part.type === 'text')
    return (
      <div className={styles.plain} dir="auto">
        {part.text}
      </div>
    )

  const { type, url, fileId } = part
  return (
    <div className={styles.attached}>
      <PaperClipOutlined aria-hidden /> {t(`part.${type}`)}:{' '}
      {url === undefined ? (
        <span className="mono">{t('part.stored', { id: fileId ?? '?' })}</span>
      ) : (
        <a href={url} target="_blank" rel="noopener noreferrer nofollow">
          {url}
        </a>
      )}
    </div>
  )
}

function Technical({ message, type }: { message: Message; type: 'function_call' | 'tool_output' | 'tool_response' | 'verbose' }) {
  const t = useTexts(conversationsTexts)
  const call = type === 'function_call' ? parseToolCall(message.content) : undefined
  const unnamed = type === 'function_call' ? t('type.function_call_unnamed') : t(`type.${type}`)
  const title = call?.name === undefined ? unnamed : t('type.function_call', { name: call.name })
  return (
    <details className={styles.technical}>
      <summary dir="auto">{title}</summary>
      <CodeBlock code={call?.text ?? prettyJson(message.content)} label={title} />
    </details>
  )
}

function FollowUp({ message }: { message: Message }) {
  const t = useTexts(conversationsTexts)
  return (
    <p className={styles.followUp}>
      <span className="quiet">{t('type.follow_up')}:</span> <span dir="auto">{message.content}</span>
    </p>
  )
}
