import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type {
  ConsoleStateWire,
  ConsoleUserWire,
  CredentialsWire,
  NewUserWire,
  PasswordChangeWire,
} from '../../../../server/src/http/console/session-wire.ts'
import { SIGN_IN, api } from '../../lib/api-client.ts'

const stateQuery = queryOptions({
  queryKey: ['session', 'state'],
  queryFn: ({ signal }) => api.get<ConsoleStateWire>('/api/console/state', { signal }),
  staleTime: Infinity,
})

/** Who is signed in, and what the console must know to begin. */
export const useConsoleState = () => useQuery(stateQuery)

/** Answers who has signed in. Everything known of somebody else is forgotten. */
export function useSignIn() {
  const enter = useEnter()
  return useMutation({ mutationFn: (credentials: CredentialsWire) => api.post<ConsoleUserWire>(SIGN_IN, credentials), onSuccess: enter })
}

export function useSignUp() {
  const enter = useEnter()
  return useMutation({ mutationFn: (user: NewUserWire) => api.post<ConsoleUserWire>('/api/console/sign-up', user), onSuccess: enter })
}

export function useSetUp() {
  const enter = useEnter()
  return useMutation({ mutationFn: (user: NewUserWire) => api.post<ConsoleUserWire>('/api/console/set-up', user), onSuccess: enter })
}

export function useSignOut() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => api.post('/api/console/sign-out'),
    onSuccess: () => {
      queries.setQueryData(stateQuery.queryKey, (state) => state && { ...state, user: null })
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    },
  })
}

export const useChangePassword = () =>
  useMutation({ mutationFn: (change: PasswordChangeWire) => api.post('/api/console/change-password', change) })

function useEnter() {
  const queries = useQueryClient()
  return (user: ConsoleUserWire) => {
    const before = queries.getQueryData(stateQuery.queryKey)
    if (before?.user && before.user.id !== user.id) queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    queries.setQueryData(stateQuery.queryKey, (state) => state && { ...state, user, has_users: true })
  }
}
