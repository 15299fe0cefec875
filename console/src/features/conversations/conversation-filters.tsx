import { Select } from 'antd'
import { useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import styles from './conversation-list.module.css'
import { useAgentChoices, useEndUserChoices } from './conversations-queries.ts'
import { conversationsTexts } from './conversations-texts.ts'

type FilterProps = { value: string; onChange: (value: string) => void }

/** The server searches: there may be more agents than a menu can hold. */
export function AgentFilter({ value, onChange }: FilterProps) {
  const t = useTexts(conversationsTexts)
  const [search, setSearch] = useState('')
  const { data: found = [], isFetching } = useAgentChoices(search)
  // the chosen one by its id, for as long as it is not among those found
  const { data: chosen = [] } = useAgentChoices(value)
  const known = chosen.filter(({ value: id }) => id === value && found.every((agent) => agent.value !== id))

  return (
    <Select
      className={styles.choice}
      aria-label={t('agent')}
      placeholder={t('all_agents')}
      allowClear
      showSearch={{ filterOption: false, onSearch: setSearch }}
      value={value || undefined}
      options={[...known, ...found]}
      loading={isFetching}
      notFoundContent={t('no_choice')}
      onChange={(id: string | undefined) => onChange(id ?? '')}
    />
  )
}

export function EndUserFilter({ value, agentId, onChange }: FilterProps & { agentId: string }) {
  const t = useTexts(conversationsTexts)
  const [search, setSearch] = useState('')
  const { data: found = [], isFetching } = useEndUserChoices({ agentId, search })

  return (
    <Select
      className={styles.choice}
      aria-label={t('end_user')}
      placeholder={t('all_users')}
      allowClear
      showSearch={{ filterOption: false, onSearch: setSearch }}
      value={value || undefined}
      options={found}
      optionRender={({ data }) => (
        <span dir="auto">
          {data.label} <span className="quiet">({data.conversations})</span>
        </span>
      )}
      loading={isFetching}
      notFoundContent={t('no_choice')}
      onChange={(user: string | undefined) => onChange(user ?? '')}
    />
  )
}
