import { Input, Select } from 'antd'
import { useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import type { Address } from '../../ui/use-address.ts'
import { useActionChoices } from './audit-names.ts'
import { auditTexts } from './audit-texts.ts'
import { useUsers } from './settings-queries.ts'
import styles from './settings.module.css'

/** What was done, by whom, since when; all of it is in the address. */
export function AuditFilters({ address }: { address: Address }) {
  const t = useTexts(auditTexts)
  const choices = useActionChoices()
  return (
    <div className={styles.filters}>
      <Select
        className={styles.filter}
        aria-label={t('filter.what')}
        placeholder={t('filter.everything')}
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        value={address.get('action') || undefined}
        options={choices}
        onChange={(action?: string) => address.change({ action: action ?? '' })}
      />
      <ActorFilter value={address.get('actor')} onChange={(actor) => address.change({ actor })} />
      <label className={styles.since}>
        {t('filter.since')}
        <Input
          type="date"
          value={address.get('since')}
          onChange={({ target }) => address.change({ since: target.value }, { replace: true })}
        />
      </label>
    </div>
  )
}

const CHOICES = 50

/** The server searches: there may be more people than a menu can hold. */
function ActorFilter({ value, onChange }: { value: string; onChange: (userId: string) => void }) {
  const t = useTexts(auditTexts)
  const [search, setSearch] = useState('')
  const { data, isFetching } = useUsers({ page: 1, size: CHOICES, search })
  // an address stays known after the search that has found it is over
  const [emails, setEmails] = useState<ReadonlyMap<string, string>>(new Map())
  const found = data?.items ?? []
  if (found.some(({ id, email }) => emails.get(id) !== email))
    setEmails(new Map([...emails, ...found.map(({ id, email }) => [id, email] as const)]))

  return (
    <Select
      className={styles.filter}
      aria-label={t('filter.who')}
      placeholder={t('filter.everybody')}
      allowClear
      showSearch={{ filterOption: false, onSearch: setSearch }}
      value={value || undefined}
      options={found.map(({ id, email }) => ({ value: id, label: email }))}
      labelRender={({ value: id }) => emails.get(String(id)) ?? t('actor.gone', { id })}
      loading={isFetching}
      notFoundContent={t('filter.nobody_found')}
      onChange={(userId?: string) => onChange(userId ?? '')}
    />
  )
}
