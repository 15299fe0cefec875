import { Radio, Segmented } from 'antd'
import { useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { CodeBlock } from '../../ui/code-block.tsx'
import { agentApiTexts } from './agent-api-texts.ts'
import styles from './agent-api.module.css'
import { KEY_PLACEHOLDER, maskKey } from './masked-key.ts'
import { INSTALL, SNIPPETS, writeSnippet } from './snippets.ts'
import type { SnippetKind } from './snippets.ts'

/** The call in several languages. What is shown has the key masked, what is copied has it whole. */
export function SnippetPart({ baseUrl, agentId, apiKey }: { baseUrl: string; agentId: string; apiKey: string }) {
  const t = useTexts(agentApiTexts)
  const [kind, setKind] = useState<SnippetKind>('curl')
  const [isStream, setStream] = useState(false)
  const facts = { baseUrl, agentId, question: t('hello'), isStream }
  const install = INSTALL[kind]

  return (
    <section className={styles.part}>
      <h2>{t('code.title')}</h2>
      <Radio.Group
        className={styles.languages}
        aria-label={t('code.language')}
        optionType="button"
        value={kind}
        options={SNIPPETS.map((value) => ({ value, label: t(`code.${value}`) }))}
        onChange={({ target }) => setKind(SNIPPETS.find((each) => each === target.value) ?? 'curl')}
      />
      <div className={styles.ways}>
        {kind === 'mcp' ? (
          <p className="quiet" style={{ margin: 0 }}>
            {t('code.mcp_hint', { id: `_${agentId}` })}
          </p>
        ) : (
          <Segmented
            aria-label={t('code.way')}
            value={isStream ? 'stream' : 'whole'}
            options={[
              { value: 'whole', label: t('code.whole') },
              { value: 'stream', label: t('code.stream') },
            ]}
            onChange={(way) => setStream(way === 'stream')}
          />
        )}
        {install !== undefined && <code>{t('code.install', { command: install })}</code>}
      </div>
      <CodeBlock
        label={t(`code.${kind}`)}
        code={writeSnippet(kind, { ...facts, apiKey: maskKey(apiKey) })}
        copied={writeSnippet(kind, { ...facts, apiKey: apiKey || KEY_PLACEHOLDER })}
      />
    </section>
  )
}
