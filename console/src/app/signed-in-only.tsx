import { Navigate, Outlet, useLocation } from 'react-router'
import { SessionDialog } from '../features/session/session-dialog.tsx'
import { useConsoleState } from '../features/session/session-queries.ts'
import { CurrentUserProvider } from '../lib/current-user.ts'
import { ErrorNotice } from '../ui/error-notice.tsx'
import { PageLoading } from '../ui/page-loading.tsx'
import styles from './signed-in-only.module.css'

/** Whoever is not signed in comes here again afterwards. */
export function SignedInOnly() {
  const { data: state, error, refetch } = useConsoleState()
  const { pathname, search, hash } = useLocation()

  if (!state) {
    return <div className={styles.center}>{error ? <ErrorNotice error={error} onRetry={() => void refetch()} /> : <PageLoading />}</div>
  }
  if (!state.has_users) return <Navigate to="/set-up" replace />
  if (!state.user) return <Navigate to={`/sign-in?${new URLSearchParams({ to: pathname + search + hash }).toString()}`} replace />

  return (
    <CurrentUserProvider value={state.user}>
      <Outlet />
      <SessionDialog email={state.user.email} />
    </CurrentUserProvider>
  )
}
