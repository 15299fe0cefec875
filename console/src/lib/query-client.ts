import { QueryClient } from '@tanstack/react-query'
import { isPassing } from './api-error.ts'

const FRESH_MS = 5_000
const RETRIES = 2

/** What may pass is tried again by itself; every other failure is shown at once. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: FRESH_MS, retry: (failures, error) => failures < RETRIES && isPassing(error) },
      mutations: { retry: false },
    },
  })
}
