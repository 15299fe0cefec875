import { Alert, Button } from 'antd'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { Link, useNavigate } from 'react-router'
import { useTexts } from '../../lib/texts.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { agentApiTexts } from './agent-api-texts.ts'
import styles from './agent-api.module.css'
import { KeyPart } from './key-part.tsx'
import { SnippetPart } from './snippet-part.tsx'
import { TryPart } from './try-part.tsx'

export type ApiAgent = { id: string; name: string; liveVersion: string | undefined; hasNewerDraft: boolean }

export type AgentApiProps = {
  agent: ApiAgent
  baseUrl: string
  /** The dialog that makes a key, while it is open. */
  renderNewKey: (dialog: { name: string; onClose: () => void; onUse: (secret: string) => void }) => ReactNode
}

/** How a program calls one agent. The key that is used here is forgotten with the page. */
export function AgentApi({ agent, baseUrl, renderNewKey }: AgentApiProps) {
  const t = useTexts(agentApiTexts)
  const navigate = useNavigate()
  const [apiKey, setApiKey] = useState('')
  const [isMaking, setMaking] = useState(false)
  const editor = `/agents/${agent.id}`

  return (
    <>
      <PageHeader title={t('title', { name: agent.name })} description={t('description')} backTo={editor} />
      <div className="stack">
        {agent.liveVersion === undefined && (
          <Alert
            type="warning"
            showIcon
            title={t('not_live')}
            description={t('not_live_hint')}
            action={<Button onClick={() => void navigate(editor)}>{t('to_editor')}</Button>}
          />
        )}
        {agent.liveVersion !== undefined && agent.hasNewerDraft && (
          <Alert
            type="info"
            showIcon
            title={t('newer_draft', { version: agent.liveVersion })}
            action={<Link to={editor}>{t('to_editor')}</Link>}
          />
        )}
        <Facts baseUrl={baseUrl} agentId={agent.id} />
        <KeyPart apiKey={apiKey} onChange={setApiKey} onMake={() => setMaking(true)} />
        <SnippetPart baseUrl={baseUrl} agentId={agent.id} apiKey={apiKey} />
        <TryPart agentId={agent.id} apiKey={apiKey} />
      </div>
      {isMaking && renderNewKey({ name: agent.name, onClose: () => setMaking(false), onUse: setApiKey })}
    </>
  )
}

function Facts({ baseUrl, agentId }: { baseUrl: string; agentId: string }) {
  const t = useTexts(agentApiTexts)
  const facts = [
    { label: t('facts.base_url'), value: baseUrl },
    { label: t('facts.id'), value: agentId },
  ]
  return (
    <dl className={styles.facts}>
      {facts.map(({ label, value }) => (
        <div key={label} className={styles.fact}>
          <dt>{label}</dt>
          <dd>
            <code>{value}</code> <CopyButton text={value} bare type="text" size="small" label={label} />
          </dd>
        </div>
      ))}
      <div className={styles.fact}>
        <dt>{t('facts.reference')}</dt>
        <dd>
          <a href="/docs" target="_blank" rel="noreferrer">
            /docs
          </a>
        </dd>
      </div>
    </dl>
  )
}
