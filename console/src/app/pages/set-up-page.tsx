import { Navigate } from 'react-router'
import { NewAccountForm } from '../../features/session/new-account-form.tsx'
import { useConsoleState, useSetUp } from '../../features/session/session-queries.ts'
import { sessionTexts } from '../../features/session/session-texts.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Entrance } from '../entrance.tsx'

/** Makes the first administrator where there is no user at all. */
export function SetUpPage() {
  const t = useTexts(sessionTexts)
  const { data: state, error: stateError, refetch } = useConsoleState()
  const { mutate, error, isPending } = useSetUp()

  if (state?.user) return <Navigate to="/agents" replace />
  if (state?.has_users) return <Navigate to="/sign-in" replace />

  return (
    <Entrance title={t('set_up.title')} hint={t('set_up.hint')}>
      {stateError ? (
        <ErrorNotice error={stateError} onRetry={() => void refetch()} />
      ) : (
        <NewAccountForm action={t('set_up.action')} error={error} isBusy={isPending} onSubmit={mutate} />
      )}
    </Entrance>
  )
}
