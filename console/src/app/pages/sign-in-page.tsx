import { Button } from 'antd'
import { useState } from 'react'
import { Navigate, useSearchParams } from 'react-router'
import { NewAccountForm } from '../../features/session/new-account-form.tsx'
import { useConsoleState, useSignUp } from '../../features/session/session-queries.ts'
import { sessionTexts } from '../../features/session/session-texts.ts'
import { SignInForm } from '../../features/session/sign-in-form.tsx'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Entrance } from '../entrance.tsx'

/** Leads to where the person wanted to go, or to the agents. */
export function SignInPage() {
  const t = useTexts(sessionTexts)
  const [query] = useSearchParams()
  const { data: state, error, refetch } = useConsoleState()
  const [isNew, setNew] = useState(false)

  if (state && !state.has_users) return <Navigate to="/set-up" replace />
  if (state?.user) return <Navigate to={ownPath(query.get('to'))} replace />

  const footer = state?.may_sign_up ? (
    <Button type="link" onClick={() => setNew(!isNew)}>
      {isNew ? t('sign_up.to_sign_in') : t('sign_in.to_sign_up')}
    </Button>
  ) : (
    t('sign_in.first_time')
  )
  return (
    <Entrance title={isNew ? t('sign_up.title') : t('sign_in.title')} footer={footer}>
      {error ? <ErrorNotice error={error} onRetry={() => void refetch()} /> : isNew ? <SignUp /> : <SignInForm onDone={() => undefined} />}
    </Entrance>
  )
}

function SignUp() {
  const t = useTexts(sessionTexts)
  const { mutate, error, isPending } = useSignUp()
  return <NewAccountForm action={t('sign_up.action')} error={error} isBusy={isPending} onSubmit={mutate} />
}

/** Never to another site: `//evil.example` and `/\evil.example` are addresses of one. */
const ownPath = (path: string | null) => (path !== null && /^\/(?![/\\])/.test(path) ? path : '/agents')
