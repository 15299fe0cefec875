import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Usage } from '../../../../server/src/http/console/usage-wire.ts'
import { api } from '../../lib/api-client.ts'
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

export const CSV_PATH = '/api/console/usage.csv'
