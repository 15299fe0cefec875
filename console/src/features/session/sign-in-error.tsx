import { Alert } from 'antd'
import { ApiError } from '../../lib/api-error.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { sessionTexts } from './session-texts.ts'

/** At a sign-in 401 does not mean that a session has ended. */
export function SignInError({ error }: { error: unknown }) {
  const t = useTexts(sessionTexts)
  if (!(error instanceof ApiError && error.failure === 'signed_out')) return <ErrorNotice error={error} />
  return <Alert role="alert" type="error" showIcon title={t('sign_in.wrong')} description={t('sign_in.wrong_hint')} />
}
