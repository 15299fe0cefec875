import { keepPreviousData, queryOptions, useQueries, useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { useState } from 'react'
import type { AgentPage } from '../../../../server/src/http/console/agent-wire.ts'
import type { WorkflowPage } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { api } from '../../lib/api-client.ts'
import { useTexts } from '../../lib/texts.ts'
import { keyPolicyTexts } from './key-policy-texts.ts'

export type Thing = 'agents' | 'workflows'
export type ChosenThingsProps = { what: Thing; value: string[]; onChange: (ids: string[]) => void }

// what the server takes
const MOST = 500
const CHOICES = 50
/** Of more than that, ids are shown. */
const MOST_NAMES = 30

/** Picks agents or workflows by name; the server searches, since there may be more than a menu can hold. */
export function ChosenThings({ what, value, onChange }: ChosenThingsProps) {
  const t = useTexts(keyPolicyTexts)
  const [search, setSearch] = useState('')
  const { data: found = [], isFetching } = useQuery({ ...choicesQuery(what, search), placeholderData: keepPreviousData })
  const names = useNames(what, value)

  return (
    <Select
      mode="multiple"
      aria-label={t(`${what}.label`)}
      placeholder={t(`${what}.search`)}
      maxCount={MOST}
      value={value}
      options={found.map((thing) => ({ value: thing.id, label: thing.name }))}
      optionRender={({ data }) => (
        <span dir="auto">
          {data.label} <span className="quiet">{data.value}</span>
        </span>
      )}
      labelRender={({ value: chosen }) => <bdi>{names.get(String(chosen)) ?? chosen}</bdi>}
      showSearch={{ filterOption: false, onSearch: setSearch }}
      loading={isFetching}
      notFoundContent={t('no_choice')}
      onChange={onChange}
    />
  )
}

/** By id; one that is deleted has none. */
function useNames(what: Thing, ids: string[]): ReadonlyMap<string, string> {
  const queries = ids.slice(0, MOST_NAMES).map((id) => choicesQuery(what, id))
  return useQueries({
    queries,
    combine: (results) => new Map(results.flatMap(({ data = [] }) => data.map(({ id, name }) => [id, name] as const))),
  })
}

/** Whose name or id has the text. */
const choicesQuery = (what: Thing, search: string) =>
  queryOptions({
    queryKey: ['key-choices', what, search],
    queryFn: async ({ signal }) => {
      const query = { page: 1, size: CHOICES, search }
      const { items } = await api.get<AgentPage | WorkflowPage>(`/api/console/${what}`, { query, signal })
      return items.map(({ id, name }) => ({ id, name }))
    },
  })
