import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { AuditPage } from '../../../../server/src/http/console/audit-wire.ts'
import type { Model, ModelChange, ModelPage, ModelTest, ModelTested, NewModel } from '../../../../server/src/http/console/model-wire.ts'
import type { Status } from '../../../../server/src/http/console/status-wire.ts'
import type { NewAccount, User, UserChange, UserPage } from '../../../../server/src/http/console/user-wire.ts'
import { api } from '../../lib/api-client.ts'

const MODELS = '/api/console/models'
const USERS = '/api/console/users'
const STATUS_MS = 10_000

export type ListPage = { page: number; size: number; search: string }

export const useModels = (page: ListPage) =>
  useQuery({
    queryKey: ['settings', 'models', page],
    queryFn: ({ signal }) => api.get<ModelPage>(MODELS, { query: page, signal }),
    placeholderData: keepPreviousData,
  })

/** Without an id a new one. What was sent is forgotten at once: it may have a key in it. */
export function useSaveModel(id: string | undefined) {
  const refresh = useRefresh('models')
  return useMutation({
    mutationFn: ({ name, ...settings }: ModelChange & Pick<NewModel, 'name'>) =>
      id === undefined ? api.post<Model>(MODELS, { name, ...settings }) : api.put<Model>(`${MODELS}/${id}`, settings),
    onSuccess: refresh,
    gcTime: 0,
  })
}

/** `name` is the model's. */
export function useDeleteModel() {
  const refresh = useRefresh('models')
  return useMutation({
    mutationFn: ({ id, name }: Pick<Model, 'id' | 'name'>) => api.delete(`${MODELS}/${id}`, { name }),
    onSuccess: refresh,
  })
}

/** Asks the model something; may take half a minute. A model that does not work is an answer, too. */
export const useTestModel = () =>
  useMutation({ mutationFn: (wanted: ModelTest) => api.post<ModelTested>(`${MODELS}/test`, wanted), gcTime: 0 })

export const useUsers = (page: ListPage) =>
  useQuery({
    queryKey: ['settings', 'users', page],
    queryFn: ({ signal }) => api.get<UserPage>(USERS, { query: page, signal }),
    placeholderData: keepPreviousData,
  })

export function useCreateUser() {
  const refresh = useRefresh('users')
  return useMutation({ mutationFn: (account: NewAccount) => api.post<User>(USERS, account), onSuccess: refresh, gcTime: 0 })
}

export function useChangeUser() {
  const refresh = useRefresh('users')
  return useMutation({
    mutationFn: ({ id, ...change }: UserChange & { id: string }) => api.put<User>(`${USERS}/${id}`, change),
    onSuccess: refresh,
  })
}

export const useResetPassword = (id: string) =>
  useMutation({
    mutationFn: (password: string) => api.post(`${USERS}/${id}/reset-password`, { new_password: password }),
    gcTime: 0,
  })

/** Empty fields do not narrow; `from` is in milliseconds. */
export type AuditFilter = { page: number; size: number; action: string; actor: string; from: number | undefined }

/** What has just been done is there as soon as the list is opened. */
export const useAuditLog = (filter: AuditFilter) =>
  useQuery({
    queryKey: ['settings', 'audit', filter],
    queryFn: ({ signal }) => api.get<AuditPage>('/api/console/audit', { query: filter, signal }),
    placeholderData: keepPreviousData,
    staleTime: 0,
  })

/** As it is now, again and again. */
export const useServerStatus = () =>
  useQuery({
    queryKey: ['settings', 'status'],
    queryFn: ({ signal }) => api.get<Status>('/api/console/status', { signal }),
    refetchInterval: STATUS_MS,
  })

/** Lists of models elsewhere in the console show the change, too. */
function useRefresh(what: 'models' | 'users') {
  const queries = useQueryClient()
  return () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey.includes(what) })
}
