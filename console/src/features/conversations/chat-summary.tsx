import { Alert, Badge } from 'antd'
import type { Chat } from '../../../../server/src/http/console/conversation-wire.ts'
import { formatDuration, formatNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { conversationsTexts } from './conversations-texts.ts'
import styles from './conversation-view.module.css'

const RUNNING = ['created', 'queued', 'running', 'in_progress', 'waiting', 'requires_action'] as const
const ENDED = ['completed', 'succeeded', 'failed', 'canceled'] as const
const STATUSES = [...RUNNING, ...ENDED]
const DOTS = new Map<string, 'success' | 'error' | 'processing'>([
  ['completed', 'success'],
  ['succeeded', 'success'],
  ['failed', 'error'],
  ['running', 'processing'],
  ['in_progress', 'processing'],
])

/** How a chat went: state, tokens, times. */
export function ChatSummary({ chat }: { chat: Chat }) {
  const t = useTexts(conversationsTexts)
  const language = useLanguage()
  const { id, kind, status, usage, created_at, finished_at, first_token_ms } = chat
  const input = formatNumber(usage.input_tokens, language)
  const output = formatNumber(usage.output_tokens, language)
  return (
    <div className={styles.chat}>
      <Badge status={DOTS.get(status) ?? 'default'} text={useStatusText()(status)} />
      <span>{t('chat.tokens', { input, output })}</span>
      {finished_at !== null && <span>{t('chat.duration', { time: formatDuration(finished_at - created_at) })}</span>}
      {first_token_ms !== null && <span>{t('chat.first_token', { time: formatDuration(first_token_ms) })}</span>}
      <span className="mono">{t(`chat.${kind}`, { id })}</span>
    </div>
  )
}

/** Nothing for a chat that went well. */
export function ChatError({ chat: { error } }: { chat: Chat }) {
  const t = useTexts(conversationsTexts)
  if (!error) return null
  return (
    <Alert
      type="error"
      showIcon
      title={t('chat.failed')}
      description={
        <>
          <div dir="auto">{error.message}</div>
          <small>{t('chat.error_code', { code: error.code })}</small>
        </>
      }
    />
  )
}

function useStatusText() {
  const t = useTexts(conversationsTexts)
  return (status: string) => {
    const known = STATUSES.find((each) => each === status)
    return known ? t(`status.${known}`) : t('status.unknown', { status })
  }
}
