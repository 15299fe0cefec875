import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Usage } from '../../../../server/src/http/console/usage-wire.ts'
import { api, send } from '../../lib/api-client.ts'
import type { Bucket } from './usage-range.ts'

export type UsageRequest = {
  from: number
  to: number
  bucket: Bucket
  offset_minutes: number
  kind: 'chat' | 'workflow'
  agent_id: string
  workflow_id: string
  key_id: string
}

/** While other numbers are on the way the ones before stay. */
export const useUsage = (request: UsageRequest) =>
  useQuery({
    queryKey: ['usage', request],
    queryFn: ({ signal }) => api.get<Usage>('/api/console/usage', { query: request, signal }),
    placeholderData: keepPreviousData,
  })

/** Of one of the person's keys; undefined where there is no such key any more. */
export const useKeyName = (id: string) =>
  useQuery({
    queryKey: ['usage-key', id],
    queryFn: async ({ signal }) => {
      const response = await send('GET', '/api/permission_api/pat/get_personal_access_token_and_permission', { query: { id }, signal })
      return parseKeyName(await response.text())
    },
    enabled: id !== '' && id !== '0',
  }).data

/** This route has its fields beside `data`: they are the guide's. */
function parseKeyName(text: string): { name: string; lastFour: string } {
  const { name, api_key: masked } = JSON.parse(text) as { name: string; api_key: string }
  return { name, lastFour: masked.slice(-4) }
}

export const CSV_PATH = '/api/console/usage.csv'
