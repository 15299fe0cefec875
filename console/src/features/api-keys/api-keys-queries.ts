import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ShownPolicy } from '../../../../server/src/http/console/key-policy-wire.ts'
import { send } from '../../lib/api-client.ts'

/** A key as the list has it: its secret is masked. Times are milliseconds; 0 is never. */
export type ListedKey = {
  id: string
  name: string
  masked: string
  expiredAt: number
  createdAt: number
  lastUsedAt: number
  isDisabled: boolean
  policy: ShownPolicy | undefined
  /** From before a rotation, and still valid. */
  oldSecrets: OldSecret[]
}
export type OldSecret = { lastFour: string; validUntil: number; lastUsedAt: number }

/** Undefined stays as it is, in a new key: is not limited. `expire`: 0 for never, else the moment in milliseconds. A null policy limits nothing. */
export type WantedKey = { name: string; expire?: number; policy?: ShownPolicy | null }

/** The only time that the secret is seen. */
export type NewKey = { id: string; name: string; secret: string }

const PAT = '/api/permission_api/pat'

export const useApiKeys = (page: { page: number; size: number }) =>
  useQuery({
    queryKey: ['api-keys', 'list', page],
    queryFn: async ({ signal }) => {
      const response = await send('GET', `${PAT}/list_personal_access_tokens`, { query: page, signal })
      return parseKeyPage(await response.text())
    },
    placeholderData: keepPreviousData,
  })

export function useCreateKey() {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: async (wanted: WantedKey): Promise<NewKey> => {
      const response = await send('POST', `${PAT}/create_personal_access_token_and_permission`, { body: wanted })
      return parseNewKey(await response.text())
    },
    // the secret is whoever's who has asked for it, and in no cache
    gcTime: 0,
    onSuccess: refresh,
  })
}

/** A policy replaces the one before as a whole. */
export function useUpdateKey() {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (change: Partial<WantedKey> & { id: string; disabled?: boolean }) =>
      send('POST', `${PAT}/update_personal_access_token_and_permission`, { body: change }),
    onSuccess: refresh,
  })
}

/** Answers the new secret. */
export function useRotateKey() {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: async (rotation: { id: string; overlap_seconds: number }): Promise<string> => {
      const response = await send('POST', `${PAT}/rotate_personal_access_token`, { body: rotation })
      return parseNewKey(await response.text()).secret
    },
    gcTime: 0,
    onSuccess: refresh,
  })
}

export function useDeleteKey() {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (id: string) => send('POST', `${PAT}/delete_personal_access_token_and_permission`, { body: { id } }),
    onSuccess: refresh,
  })
}

function useRefresh() {
  const queries = useQueryClient()
  return () => queries.invalidateQueries({ queryKey: ['api-keys'] })
}

type WireKey = {
  id: string | number
  name: string
  api_key: string
  expired_at: number
  created_at: number
  last_used_at: number
  policy?: ShownPolicy
  disabled?: true
  old_secrets?: { last4: string; valid_until: number; last_used_at: number }[]
}

/** These routes have their fields beside `data`: they are the guide's. */
function parseKeyPage(text: string): { items: ListedKey[]; total: number } {
  const page = JSON.parse(text) as { api_keys: WireKey[]; total: number }
  return { items: page.api_keys.map(toListedKey), total: page.total }
}

function toListedKey(key: WireKey): ListedKey {
  const oldSecrets = key.old_secrets ?? []
  return {
    ...{ id: String(key.id), name: key.name, masked: key.api_key, policy: key.policy, isDisabled: key.disabled === true },
    ...{ expiredAt: key.expired_at, createdAt: key.created_at, lastUsedAt: key.last_used_at },
    oldSecrets: oldSecrets.map(({ last4, valid_until, last_used_at }) => ({
      lastFour: last4,
      validUntil: valid_until,
      lastUsedAt: last_used_at,
    })),
  }
}

function parseNewKey(text: string): NewKey {
  const { id, name, api_key } = JSON.parse(text) as WireKey
  return { id: String(id), name, secret: api_key }
}
