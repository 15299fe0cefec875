import { Alert, Button, Input, Segmented } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { formatDuration } from '../../lib/format.ts'
import { useTexts } from '../../lib/texts.ts'
import { CodeBlock } from '../../ui/code-block.tsx'
import { MarkdownText } from '../../ui/markdown-text.tsx'
import { agentApiTexts } from './agent-api-texts.ts'
import styles from './agent-api.module.css'
import { maskKey } from './masked-key.ts'
import { NOTHING_YET, runTryCall, toRequestBody } from './try-call.ts'
import type { TryOutcome } from './try-call.ts'

type Sent = { request: string; isStream: boolean }

/** Sends a real call, and shows what goes out and what comes back. */
export function TryPart({ agentId, apiKey }: { agentId: string; apiKey: string }) {
  const t = useTexts(agentApiTexts)
  const [question, setQuestion] = useState(t('hello'))
  const [isStream, setStream] = useState(true)
  const [sent, setSent] = useState<Sent>()
  const [outcome, setOutcome] = useState<TryOutcome>()
  const [needsKey, setNeedsKey] = useState(false)
  const running = useRef(new AbortController())
  useEffect(() => () => running.current.abort(), [])

  const run = () => {
    setNeedsKey(apiKey === '')
    if (apiKey === '' || question.trim() === '') return
    running.current.abort()
    running.current = new AbortController()
    setOutcome(NOTHING_YET)
    setSent({ request: writeRequest({ agentId, question, isStream, apiKey }), isStream })
    void runTryCall({ agentId, apiKey, question, isStream }, running.current.signal, setOutcome)
  }
  const stop = () => {
    running.current.abort()
    setOutcome((before) => before && { ...before, state: 'done' })
  }
  const isRunning = outcome?.state === 'running'

  return (
    <section className={styles.part}>
      <h2>{t('try.title')}</h2>
      <p className={styles.hint}>{t('try.hint')}</p>
      <div className={styles.ask}>
        <Input
          className={styles.field}
          aria-label={t('try.question')}
          value={question}
          maxLength={100_000}
          dir="auto"
          onChange={({ target }) => setQuestion(target.value)}
          onPressEnter={run}
        />
        <Segmented
          aria-label={t('code.way')}
          value={isStream ? 'stream' : 'whole'}
          options={[
            { value: 'stream', label: t('code.stream') },
            { value: 'whole', label: t('code.whole') },
          ]}
          onChange={(way) => setStream(way === 'stream')}
        />
        {isRunning ? (
          <Button onClick={stop}>{t('try.stop')}</Button>
        ) : (
          <Button type="primary" onClick={run}>
            {t('try.run')}
          </Button>
        )}
      </div>
      {needsKey && apiKey === '' && <Alert role="alert" type="info" showIcon title={t('try.no_key')} style={{ marginTop: 12 }} />}
      {sent && outcome && <Came sent={sent} outcome={outcome} />}
    </section>
  )
}

function Came({ sent, outcome }: { sent: Sent; outcome: TryOutcome }) {
  const t = useTexts(agentApiTexts)
  const { state, status, raw, answer, durationMs } = outcome
  const problem = status === 0 ? t('try.no_answer') : status === 401 ? t('try.refused') : t('try.failed')
  return (
    <>
      {state === 'failed' && <Alert role="alert" type="error" showIcon title={problem} style={{ marginTop: 12 }} />}
      <div className={styles.came}>
        <div>
          <h3>{t('try.request')}</h3>
          <CodeBlock code={sent.request} label={t('try.request')} plain />
        </div>
        <div>
          <h3>{sent.isStream ? t('try.events') : t('try.body')}</h3>
          <CodeBlock code={raw || t('try.waiting')} label={sent.isStream ? t('try.events') : t('try.body')} plain />
        </div>
      </div>
      <p className="quiet" role="status">
        {status > 0 && t('try.status', { status, duration: formatDuration(durationMs) })}
      </p>
      {answer !== '' && (
        <div>
          <h3>{t('try.answer')}</h3>
          <div className={styles.answer} role="group" aria-label={t('try.answer')}>
            <MarkdownText text={answer} />
          </div>
        </div>
      )}
    </>
  )
}

function writeRequest({ apiKey, ...body }: { agentId: string; question: string; isStream: boolean; apiKey: string }): string {
  return `POST /v3/chat
Authorization: Bearer ${maskKey(apiKey)}
Content-Type: application/json

${JSON.stringify(toRequestBody(body), null, 2)}`
}
